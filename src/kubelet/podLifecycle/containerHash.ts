import type { Container } from "../../api/generated/core-v1.ts";

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** 32-bit FNV-1a, in hexadecimal. */
export function fnv32a(text: string): string {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  }
  return (hash >>> 0).toString(16);
}

/**
 * A container whose hash changed is killed and started anew. Only name and image count, so that a kubelet of another
 * version finds the same hash. Source: kubelet container/helpers.go HashContainer.
 */
export const containerHash = ({ name, image }: Container): string => fnv32a(JSON.stringify({ name, image }));
