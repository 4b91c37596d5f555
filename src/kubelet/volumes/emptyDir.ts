import { quantityValue } from "../../machinery/quantity.ts";
import type { VolumeSource } from "./volumeSource.ts";

/** A folder, or memory, that lives as long as the pod. Source: pkg/volume/emptydir. */
export const emptyDir: VolumeSource = {
  pluginName: "kubernetes.io~empty-dir",
  matches: (volume) => volume.emptyDir !== undefined,
  async setUp({ files, directory, pod, nodeMemoryBytes }, { emptyDir: source }) {
    const isNew = (await files.stat(directory)) === undefined;
    await files.makeDirectory(directory, { mode: 0o777 });
    if (source?.medium === "Memory") {
      const limit = source.sizeLimit === undefined ? 0 : quantityValue(source.sizeLimit);
      await files.mountTmpfs(directory, limit > 0 ? Math.min(limit, nodeMemoryBytes) : undefined);
      if (isNew) await files.setMode(directory, 0o777);
    }
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (isNew && fsGroup !== undefined) await files.setGroup(directory, fsGroup);
    return { hostPath: directory, readOnly: false };
  },
  tearDown: ({ files, directory }) => files.unmount(directory),
};
