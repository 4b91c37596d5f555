import type { PodTemplateSpec } from "../../api/generated/core-v1.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import { TEMPLATE_HASH } from "./deploymentNames.ts";

/** Source: apimachinery util/rand, alphanums. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/**
 * A short name for a template: FNV-1a over its JSON with sorted keys, written in the alphabet of generated names. It is
 * not upstream's hash, which is one over Go's memory; nothing but the sets' names depends on it.
 */
export function podTemplateHash(template: unknown, collisionCount: number | undefined): string {
  let hash = 0x811c9dc5;
  for (const char of sortedJson(template) + (collisionCount ?? "")) {
    hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193) >>> 0;
  }
  return [...`${hash}`].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join("");
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Equal but for the hash label. Source: EqualIgnoreHash. */
export const templatesEqual = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean =>
  semanticEqual(a?.spec, b?.spec) && semanticEqual(metadataWithoutHash(a), metadataWithoutHash(b));

function metadataWithoutHash(template: PodTemplateSpec | undefined) {
  const { [TEMPLATE_HASH]: _hash, ...labels } = template?.metadata?.labels ?? {};
  return { ...template?.metadata, labels };
}
