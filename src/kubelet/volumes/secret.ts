import { writeAtomically } from "./atomicWriter.ts";
import { DEFAULT_MODE, secretPayload } from "./payloads.ts";
import type { VolumeSource } from "./volumeSource.ts";

/** In memory, so that no secret reaches the disk. */
export const secret: VolumeSource = {
  pluginName: "kubernetes.io~secret",
  inMemory: true,
  matches: (volume) => volume.secret !== undefined,
  async setUp(context, { secret: source }) {
    const mode = source?.defaultMode ?? DEFAULT_MODE;
    const payload = await secretPayload(context, source?.secretName ?? "", { ...source, mode });
    const gid = context.pod.spec.securityContext?.fsGroup;
    await writeAtomically(context, context.directory, payload, { ...(gid !== undefined && { gid }) });
    return { hostPath: context.directory, readOnly: true };
  },
};
