/** What server-side apply is asked to do. */
import type { KubeObject } from "../object.ts";
import type { StructSchema } from "../schema.ts";
import type { FieldSet } from "./fieldSet.ts";

type Json = Readonly<Record<string, unknown>>;

export interface ApplyInput<T extends KubeObject> {
  /** Undefined: nothing is there yet, the configuration becomes the object. */
  readonly live: T | undefined;
  /** The patch's body, as it was sent (not decoded: it owns exactly what it names). */
  readonly applied: Json;
  readonly manager: string;
  /** Takes fields over from others instead of failing. */
  readonly force: boolean;
  /** Of the endpoint; the configuration must be of the same. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly subresource: string;
  readonly nowMs: number;
  readonly schema: StructSchema;
  readonly resetFields?: FieldSet;
}
