import type { Pod } from "../../api/generated/core-v1.ts";
import { reject, type SchedulerPlugin } from "../framework.ts";

/**
 * Pods with claims wait for them. No claims are served yet, so they wait for ever, and say for what.
 * Source: plugins/volumebinding, podHasPVCs; ephemeral claims are named as component-helpers storage/ephemeral does.
 */
export const volumeBinding: SchedulerPlugin = {
  name: "VolumeBinding",
  candidates: (pod) => {
    const missing = missingClaim(pod);
    return missing === undefined ? undefined : reject(missing, { unresolvable: true });
  },
  helpedBy: ["pod-changed"],
};

function missingClaim({ metadata, spec }: Pod): string | undefined {
  for (const { name, persistentVolumeClaim, ephemeral } of spec.volumes ?? []) {
    if (persistentVolumeClaim !== undefined)
      return `persistentvolumeclaim "${persistentVolumeClaim.claimName}" not found`;
    if (ephemeral === undefined) continue;
    const claim = `${metadata.name}-${name}`;
    return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claim}"`;
  }
  return undefined;
}
