/** For tests of columns: what a kind's table says about an object, by column. */
import type { KindDefinition } from "../machinery/defineKind.ts";
import type { KubeObject } from "../machinery/object.ts";

export const cellsOf = <T extends KubeObject>({ columns }: KindDefinition<T>, object: unknown, nowMs = 0) =>
  Object.fromEntries(columns.map(({ name, value }) => [name, value(object as T, { nowMs })]));
