/** Cells that several kinds print alike. Source: kubernetes pkg/printers/internalversion/printers.go. */
import { type Column, nameColumn } from "../machinery/defineKind.ts";
import { formatSelector, labelSelectorOf } from "../machinery/labelSelector.ts";
import type { KubeObject, LabelSelector } from "../machinery/object.ts";
import type { Container, PodTemplateSpec } from "./generated/core-v1.ts";

export const NONE = "<none>";

/** How many of a list are printed before "+ N more...". */
const LISTED_MAX = 3;

/** "a,b,c + 2 more...": only the first few of a list. */
export function firstFew(list: readonly string[]): string {
  const shown = list.slice(0, LISTED_MAX).join(",");
  return list.length > LISTED_MAX ? `${shown} + ${list.length - LISTED_MAX} more...` : shown;
}

/** "a=1,b=2", sorted; "<none>" when there are none. Source: labels.FormatLabels. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const text = Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
  return text === "" ? NONE : text;
}

/** Source: metav1.FormatLabelSelector. */
export function selectorText(selector: LabelSelector | undefined): string {
  try {
    const text = formatSelector(labelSelectorOf(selector));
    return text === "" ? NONE : text;
  } catch {
    return "<error>";
  }
}

interface Templated extends KubeObject {
  readonly spec?: { readonly template?: PodTemplateSpec; readonly selector?: LabelSelector };
}

const containersOf = (object: Templated): readonly Container[] => object.spec?.template?.spec?.containers ?? [];

/** What `-o wide` adds for everything that makes pods. */
export const templateColumns: readonly Column<Templated>[] = [
  {
    name: "Containers",
    type: "string",
    priority: 1,
    description: "Names of each container in the template.",
    value: (object) =>
      containersOf(object)
        .map(({ name }) => name)
        .join(","),
  },
  {
    name: "Images",
    type: "string",
    priority: 1,
    description: "Images referenced by each container in the template.",
    value: (object) =>
      containersOf(object)
        .map(({ image }) => image ?? "")
        .join(","),
  },
  { name: "Selector", type: "string", priority: 1, value: (object) => selectorText(object.spec?.selector) },
];

/** What kinds without a printer of their own show. Source: apiserver registry/rest/table.go. */
export const createdAtColumns: readonly Column<KubeObject>[] = [
  nameColumn,
  { name: "Created At", type: "instant", value: (object) => object.metadata.creationTimestamp ?? null },
];
