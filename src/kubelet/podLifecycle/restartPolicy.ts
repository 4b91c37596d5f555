/** Whether a container that is not running is started again. Source: kubelet container/helpers.go. */
import type { Container, ContainerRestartRule, Pod } from "../../api/generated/core-v1.ts";
import type { ContainerStatus } from "../runtime.ts";

/** The pod's policy, which the API server defaults to Always. */
export const podRestartPolicy = ({ spec }: Pod): string => spec.restartPolicy ?? "Always";

/** The container's own policy goes before the pod's. */
export const restartPolicyOf = (pod: Pod, container: Container): string =>
  container.restartPolicy ?? podRestartPolicy(pod);

function ruleMatches({ exitCodes }: ContainerRestartRule, exitCode: number): boolean {
  const isListed = exitCodes?.values?.includes(exitCode) === true;
  if (exitCodes?.operator === "In") return isListed;
  return exitCodes?.operator === "NotIn" && !isListed;
}

/** Once it has ended with this code. */
export function restartsAfterExit(pod: Pod, container: Container, exitCode: number): boolean {
  const rule = container.restartPolicyRules?.find((candidate) => ruleMatches(candidate, exitCode));
  if (rule !== undefined) return rule.action === "Restart";
  const policy = restartPolicyOf(pod, container);
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** `status` is the newest attempt; none means that it has never been started. */
export function shouldContainerBeRestarted(
  pod: Pod,
  container: Container,
  status: ContainerStatus | undefined,
): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  if (status === undefined) return true;
  if (status.state === "Running") return false;
  if (status.state !== "Exited") return true;
  return restartsAfterExit(pod, container, status.exitCode ?? 0);
}

export const isTerminalPhase = (phase: string | undefined): boolean => phase === "Succeeded" || phase === "Failed";
