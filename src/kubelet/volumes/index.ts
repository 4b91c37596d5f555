/** Every kind of volume. A new one is one file and one line in this list. */
import { configMap } from "./configMap.ts";
import { downwardApi } from "./downwardApi.ts";
import { emptyDir } from "./emptyDir.ts";
import { hostPath } from "./hostPath.ts";
import { projected } from "./projected.ts";
import { secret } from "./secret.ts";
import type { VolumeSource } from "./volumeSource.ts";

export const volumeSources: readonly VolumeSource[] = [configMap, downwardApi, emptyDir, hostPath, projected, secret];
