import { writeAtomically } from "./atomicWriter.ts";
import { projectedPayload } from "./payloads.ts";
import type { VolumeSource } from "./volumeSource.ts";

/** Several sources in one folder; every pod has one, with its token. In memory, as it holds a secret. */
export const projected: VolumeSource = {
  pluginName: "kubernetes.io~projected",
  inMemory: true,
  matches: (volume) => volume.projected !== undefined,
  async setUp(context, { projected: source }) {
    const payload = await projectedPayload(context, source ?? {});
    const gid = context.pod.spec.securityContext?.fsGroup;
    await writeAtomically(context, context.directory, payload, { ...(gid !== undefined && { gid }) });
    return { hostPath: context.directory, readOnly: true };
  },
};
