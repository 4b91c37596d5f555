import type { Pod } from "../../api/generated/core-v1.ts";
import type { RuntimePod } from "./runtimePod.ts";

export interface SandboxChange {
  readonly isNeeded: boolean;
  readonly attempt: number;
  /** The one to be used, or to be given up for a new one. */
  readonly sandboxId: string | undefined;
}

/** Whether the pod needs a new sandbox. Source: kuberuntime/util/util.go PodSandboxChanged. */
export function sandboxChange(pod: Pod, { sandboxes }: RuntimePod): SandboxChange {
  const newest = sandboxes[0];
  if (newest === undefined) return { isNeeded: true, attempt: 0, sandboxId: undefined };
  const needed: SandboxChange = { isNeeded: true, attempt: newest.attempt + 1, sandboxId: newest.id };
  if (sandboxes.filter(({ state }) => state === "Ready").length > 1) return needed;
  if (newest.state !== "Ready") return needed;
  if (pod.spec.hostNetwork !== true && newest.ips.length === 0) return needed;
  return { isNeeded: false, attempt: newest.attempt, sandboxId: newest.id };
}
