import { sha256 } from "../../images/oci.ts";
import { normalizeName } from "../../images/reference.ts";
import type { ImageStatus } from "../../runtime.ts";

/** An image that is always there, because it is part of this program. */
export interface BuiltinImage {
  readonly status: ImageStatus;
  /** By name in any spelling, or id. */
  matches(nameOrId: string): boolean;
}

export function builtinImage(name: string): BuiltinImage {
  const fullName = normalizeName(name);
  const id = sha256(fullName);
  return {
    status: { id, repoTags: [fullName], repoDigests: [], sizeBytes: 0, user: "" },
    matches: (nameOrId) => nameOrId === id || fullNameOf(nameOrId) === fullName,
  };
}

function fullNameOf(name: string): string | undefined {
  try {
    return normalizeName(name);
  } catch {
    return undefined;
  }
}
