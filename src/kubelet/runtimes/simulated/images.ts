import { fnv32a } from "../../podLifecycle/containerHash.ts";
import { type ImageStatus, type Images, RuntimeError } from "../../runtime.ts";

/** Names that cannot be had: with "does-not-exist" in them. */
const MISSING = /does-not-exist/;
const SIZE_BYTES = 10_000_000;
/** Names remembered for `list`. */
const LISTED_MAX = 1000;

/** Every image is there, but those that `isMissing` names. */
export function simulatedImages(isMissing: (name: string) => boolean): Images {
  const used = new Map<string, ImageStatus>();
  const statusOf = (name: string): ImageStatus => {
    const digest = Array.from({ length: 8 }, (_, index) => fnv32a(`${index}${name}`).padStart(8, "0")).join("");
    return { id: `sha256:${digest}`, repoTags: [name], repoDigests: [], sizeBytes: SIZE_BYTES, user: "" };
  };
  const known = (name: string): ImageStatus => {
    let status = used.get(name);
    if (status === undefined) {
      status = statusOf(name);
      if (used.size < LISTED_MAX) used.set(name, status);
    }
    return status;
  };
  const missing = (name: string): boolean => MISSING.test(name) || isMissing(name);
  return {
    status: async (name) => (missing(name) ? undefined : known(name)),
    list: async () => [...used.values()],
    async pull(name) {
      if (missing(name)) {
        throw new RuntimeError(
          "ErrImagePull",
          `failed to pull and unpack image "${name}": failed to resolve reference "${name}": not found`,
        );
      }
      return known(name);
    },
    async remove(id) {
      for (const [name, status] of used) if (status.id === id) used.delete(name);
    },
  };
}
