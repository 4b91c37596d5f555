/**
 * Tables of invalid objects for tests: a valid object, a change to it, and what the API then says. A change is a map
 * from paths (`spec.containers[0].name`, `metadata.labels[a/b]`) to values; `undefined` removes.
 */
import { expect, test } from "vitest";
import type { KindDefinition } from "../machinery/defineKind.ts";
import { errorText, FieldPath } from "../machinery/fieldErrors.ts";
import type { KubeObject } from "../machinery/object.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../machinery/objectMeta.ts";

export type Change = Readonly<Record<string, unknown>>;
/** Name, change, and the texts of all errors: `path: text`. */
export type InvalidCase = readonly [name: string, change: Change, ...expected: string[]];

type Json = Record<string | number, unknown>;

const segments = (path: string): (string | number)[] =>
  [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, key, name]) =>
    name !== undefined ? name : /^\d+$/.test(key ?? "") ? Number(key) : (key ?? ""),
  );

function set(target: unknown, [first, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (first === undefined) return value;
  const copy = (Array.isArray(target) ? [...target] : { ...(target as Json) }) as Json;
  const container = target ?? (typeof first === "number" ? [] : {});
  const next = set((container as Json)[first], rest, value);
  const made = target === undefined && typeof first === "number" ? ([] as unknown as Json) : copy;
  if (next === undefined && !Array.isArray(made)) delete made[first];
  else made[first] = next;
  return made;
}

/** The object with each path set. */
export const changed = <T>(object: T, change: Change): T =>
  Object.entries(change).reduce<T>((next, [path, value]) => set(next, segments(path), value) as T, object);

const USER = { name: "tester", groups: [] };
const METADATA = new FieldPath("metadata");
const contextOf = (subresource: string) => ({ nowMs: 0, subresource, user: USER });

/** Everything that a create would be refused for. */
export function createErrors<T extends KubeObject>(kind: KindDefinition<T>, object: T): string[] {
  const whole = kind.withDefaults(object);
  const rules = { namespaced: kind.scope === "Namespaced", validateName: kind.validateName };
  const errors = [...validateObjectMeta(whole.metadata, rules, METADATA), ...kind.validate(whole, contextOf(""))];
  return errors.map(errorText);
}

/** Everything that an update would be refused for. */
export function updateErrors<T extends KubeObject>(kind: KindDefinition<T>, next: T, previous: T, subresource = "") {
  const context = contextOf(subresource);
  const stored = (object: T): T => changed(kind.withDefaults(object), { "metadata.resourceVersion": "1" });
  const [after, before] = [stored(next), stored(previous)];
  const errors = [
    ...validateObjectMetaUpdate(after.metadata, before.metadata, METADATA),
    ...kind.validate(after, context),
    ...kind.validateUpdate(after, before, context),
  ];
  return errors.map(errorText);
}

/** The base object must be valid, and each change of it invalid with exactly these errors. */
export function testInvalidObjects<T extends KubeObject>(
  kind: KindDefinition<T>,
  base: unknown,
  cases: readonly InvalidCase[],
): void {
  test("the valid object that the cases start from is valid", () => {
    expect(createErrors(kind, base as T)).toEqual([]);
  });
  test.each(cases.map(([name, change, ...expected]) => ({ name, change, expected })))(
    "refuses $name",
    ({ change, expected }) => {
      expect(createErrors(kind, changed(base as T, change))).toEqual(expected);
    },
  );
}

/** Each change, made to an object that exists, is refused with exactly these errors; with none it is taken. */
export function testUpdates<T extends KubeObject>(
  kind: KindDefinition<T>,
  base: unknown,
  cases: readonly InvalidCase[],
  subresource = "",
): void {
  test.each(cases.map(([name, change, ...expected]) => ({ name, change, expected })))(
    `update${subresource === "" ? "" : ` of ${subresource}`}: $name`,
    ({ change, expected }) => {
      const previous = base as T;
      expect(updateErrors(kind, changed(previous, change), previous, subresource)).toEqual(expected);
    },
  );
}
