import type { AnyKind } from "../../machinery/defineKind.ts";
import { type Operation, operationsOf } from "./operations.ts";
import type { JsonSchema } from "./typeSchemas.ts";

export interface PathForm {
  readonly operation: (operation: Operation) => JsonSchema;
  readonly pathParameter: (name: string, description: string) => JsonSchema;
}

/** What each path's placeholders stand for. */
const PLACEHOLDERS: Readonly<Record<string, (kind: string) => string>> = {
  name: (kind) => `name of the ${kind}`,
  namespace: () => "object name and auth scope, such as for teams and projects",
  path: () => "The path of the request that is passed on.",
};

/** The `paths` of a document, sorted, in the given form. */
export function pathsOf(kinds: readonly AnyKind[], form: PathForm): Record<string, JsonSchema> {
  const paths: Record<string, JsonSchema> = {};
  for (const operation of kinds.flatMap(operationsOf)) {
    const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
    const parameters = names.map((name) => form.pathParameter(name, PLACEHOLDERS[name]?.(operation.gvk.kind) ?? ""));
    const item = paths[operation.path] ?? { parameters };
    paths[operation.path] = item;
    item[operation.method] = form.operation(operation);
  }
  return Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The extensions that both forms put on an operation. */
export const extensionsOf = ({ action, gvk: { group, version, kind } }: Operation): JsonSchema => ({
  "x-kubernetes-action": action,
  "x-kubernetes-group-version-kind": { group, version, kind },
});
