import { writeAtomically } from "./atomicWriter.ts";
import { DEFAULT_MODE, downwardPayload } from "./payloads.ts";
import type { VolumeSource } from "./volumeSource.ts";

export const downwardApi: VolumeSource = {
  pluginName: "kubernetes.io~downward-api",
  inMemory: true,
  matches: (volume) => volume.downwardAPI !== undefined,
  async setUp(context, { downwardAPI: source }) {
    const payload = downwardPayload(context, source?.items ?? [], source?.defaultMode ?? DEFAULT_MODE);
    const gid = context.pod.spec.securityContext?.fsGroup;
    await writeAtomically(context, context.directory, payload, { ...(gid !== undefined && { gid }) });
    return { hostPath: context.directory, readOnly: true };
  },
};
