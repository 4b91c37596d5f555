/** Objects as the rows that `kubectl get` prints. Source: apiserver registry/rest/table.go, kubernetes pkg/printers. */
import type { Column } from "../../machinery/defineKind.ts";
import { ago } from "../../machinery/humanDuration.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest } from "../errors.ts";
import { partialMetadata } from "./partialMetadataView.ts";
import { type ListMetadata, objectResponse, type View } from "./view.ts";

type IncludeObject = "None" | "Metadata" | "Object";

const INCLUDE_OBJECT = new Set(["", "None", "Metadata", "Object"]);

/** @throws ApiError 400 for an unknown includeObject */
export function tableView({ resource, server, request }: ResourceRequest, apiVersion: string): View {
  const columns: readonly Column<KubeObject>[] = resource.kind.columns;
  const include = includeObject(request.query?.get("includeObject") ?? "");
  const rowOf = (object: KubeObject) => {
    const context = { nowMs: server.env.clock.now() };
    const conditions = resource.kind.rowConditions?.(object);
    return {
      cells: columns.map((column) => cellOf(column, object, context)),
      ...(conditions !== undefined && { conditions }),
      object: shown(object, include, apiVersion),
    };
  };
  const table = (metadata: ListMetadata, rows: readonly object[], withHeader: boolean) => ({
    kind: "Table",
    apiVersion,
    metadata,
    columnDefinitions: withHeader ? columns.map(definitionOf) : null,
    rows,
  });
  const alone = ({ metadata: { resourceVersion } }: KubeObject, row: object, withHeader: boolean) =>
    table({ resourceVersion }, [row], withHeader);
  return {
    key: `table/${apiVersion}/${include}`,
    one: (stored, withHeader) => alone(stored, rowOf(resource.toServed(stored)), withHeader),
    // Upstream prints the cells of an object without any value, which nobody looks at.
    bookmark: (served, withHeader) =>
      alone(served, { cells: columns.map(() => ""), object: shown(served, include, apiVersion) }, withHeader),
    list: (stored, metadata) =>
      objectResponse(
        table(
          metadata,
          stored.map((object) => rowOf(resource.toServed(object))),
          true,
        ),
      ),
  };
}

function includeObject(text: string): IncludeObject {
  if (!INCLUDE_OBJECT.has(text)) throw badRequest(`unrecognized includeObject value: ${JSON.stringify(text)}`);
  return text === "" ? "Metadata" : (text as IncludeObject);
}

function shown(object: KubeObject, include: IncludeObject, apiVersion: string): object | null {
  if (include === "None") return null;
  return include === "Object" ? object : partialMetadata(object, apiVersion);
}

/** Dates are printed as ages by the server, as upstream does. */
function cellOf(column: Column<KubeObject>, object: KubeObject, context: { nowMs: number }) {
  const value = column.value(object, context);
  if (column.type !== "date") return value;
  return ago(typeof value === "string" && value !== "" ? value : undefined, context.nowMs);
}

const definitionOf = ({ name, type = "string", format = "", description = "", priority = 0 }: Column<KubeObject>) => ({
  name,
  type: type === "date" ? "string" : type === "instant" ? "date" : type,
  format,
  description,
  priority,
});
