/** Bodies in protobuf, which client-go's typed clients send (`kubectl create configmap`, every controller). */

import { parseApiVersion } from "../machinery/object.ts";
import { decodeMessage } from "../machinery/protobuf/decodeMessage.ts";
import { PROTOBUF_MEDIA_TYPE, unwrap } from "../machinery/protobuf/envelope.ts";
import type { Schemas, StructSchema } from "../machinery/schema.ts";
import { badRequest } from "./errors.ts";
import type { Parser } from "./parser.ts";

/** Types that every group shares (`DeleteOptions` and its kin) are meta types, whichever group names them. */
export const META_TYPES = "apimachinery.pkg.apis.meta.v1";

/** What a kind is written as; undefined for what is no kind of ours. */
export function typeOf(schemas: Schemas, apiVersion: string, kind: string): StructSchema | undefined {
  const found = schemas.kind({ ...parseApiVersion(apiVersion), kind });
  const shared = `${META_TYPES}.${kind}`;
  return found ?? (schemas.hasType(shared) ? schemas.type(shared) : undefined);
}

export const protobufParser = (schemas: Schemas): Parser => ({
  mediaType: PROTOBUF_MEDIA_TYPE,
  parse: (bytes) => {
    try {
      const { apiVersion, kind, raw } = unwrap(bytes);
      const schema = typeOf(schemas, apiVersion, kind);
      if (schema === undefined) throw new Error(`no kind "${kind}" is registered for version "${apiVersion}"`);
      return { value: { apiVersion, kind, ...decodeMessage(raw, schema) }, duplicates: () => [] };
    } catch (error) {
      throw badRequest((error as Error).message);
    }
  },
});
