/** What a patch has made of an object. */

import type { FieldValidation } from "../../machinery/decode.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ResourceRequest } from "../context.ts";

/** @throws ApiError 400 */
export function decoded(
  call: ResourceRequest,
  value: unknown,
  validation: FieldValidation,
  problems: readonly string[] = [],
): KubeObject {
  const { kind } = call.resource;
  const { object, warnings } = call.server.codecs.decodeValue(value, kind, validation, problems);
  call.warnings.push(...warnings);
  return kind.withDefaults(object);
}
