/** What `kubectl get events` prints. Source: pkg/printers/internalversion/printers.go, printEvent. */
import { type Column, nameColumn } from "../../machinery/defineKind.ts";
import type { Event } from "../generated/core-v1.ts";

const firstSeen = (event: Event): string | null => event.firstTimestamp ?? event.eventTime ?? null;

const lastSeen = (event: Event): string | null =>
  event.series === undefined ? (event.lastTimestamp ?? firstSeen(event)) : (event.series.lastObservedTime ?? null);

const objectText = ({ involvedObject: { kind = "", name } }: Event): string =>
  name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();

function sourceText(event: Event): string {
  const component = event.source?.component || event.reportingComponent || "";
  const instance = event.source?.host || event.reportingInstance || "";
  return instance === "" ? component : `${component}, ${instance}`;
}

const count = (event: Event): number => event.series?.count ?? (event.count || 1);

export const eventColumns: readonly Column<Event>[] = [
  { name: "Last Seen", type: "date", value: lastSeen },
  { name: "Type", type: "string", value: (event) => event.type ?? "" },
  { name: "Reason", type: "string", value: (event) => event.reason ?? "" },
  { name: "Object", type: "string", value: objectText },
  { name: "Subobject", type: "string", priority: 1, value: (event) => event.involvedObject.fieldPath ?? "" },
  { name: "Source", type: "string", priority: 1, value: sourceText },
  { name: "Message", type: "string", value: (event) => (event.message ?? "").trim() },
  { name: "First Seen", type: "date", priority: 1, value: firstSeen },
  { name: "Count", type: "string", priority: 1, value: count },
  { ...nameColumn, priority: 1 },
];
