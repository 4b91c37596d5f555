import { writeAtomically } from "./atomicWriter.ts";
import { configMapPayload, DEFAULT_MODE } from "./payloads.ts";
import type { VolumeSource } from "./volumeSource.ts";

export const configMap: VolumeSource = {
  pluginName: "kubernetes.io~configmap",
  inMemory: true,
  matches: (volume) => volume.configMap !== undefined,
  async setUp(context, { configMap: source }) {
    const mode = source?.defaultMode ?? DEFAULT_MODE;
    const payload = await configMapPayload(context, source?.name ?? "", { ...source, mode });
    const gid = context.pod.spec.securityContext?.fsGroup;
    await writeAtomically(context, context.directory, payload, { ...(gid !== undefined && { gid }) });
    return { hostPath: context.directory, readOnly: true };
  },
};
