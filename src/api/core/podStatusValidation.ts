/** What a kubelet may write. Source: core/validation ValidatePodStatusUpdate (v1.36). */
import { type FieldError, FieldPath, forbiddenField, invalid } from "../../machinery/fieldErrors.ts";
import { parseIp } from "../../machinery/ipAddress.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { each, legacyIp, NOT_NEGATIVE, qualifiedName, subdomain } from "../checks.ts";
import type { Container, ContainerStatus, Pod, PodCondition, PodSpec } from "../generated/core-v1.ts";

const path = new FieldPath("status");
const NOT_NEGATIVE_INTEGER = "must be a non-negative integer";
const SYSTEM_CONDITIONS = ["PodScheduled", "Ready", "Initialized"];

const conditionErrors = (conditions: readonly PodCondition[] | undefined): FieldError[] =>
  each(path.at("conditions"), conditions, ({ type, observedGeneration = 0 }, at) => [
    ...(observedGeneration < 0 ? [invalid(at.at("observedGeneration"), observedGeneration, NOT_NEGATIVE_INTEGER)] : []),
    ...(SYSTEM_CONDITIONS.includes(type) ? [] : qualifiedName(at.at("Type"), type)),
  ]);

function nominationErrors(next: Pod, previous: Pod): FieldError[] {
  const name = next.status?.nominatedNodeName;
  if (!name || name === previous.status?.nominatedNodeName) return [];
  const at = path.at("nominatedNodeName");
  const bound = "may not be set on pods that are already bound to a node";
  return [...subdomain(at, name), ...(previous.spec?.nodeName ? [forbiddenField(at, bound)] : [])];
}

/** Source: api/v1/pod ContainerShouldRestart, FindMatchingContainerRestartRule. */
function mayRestart(container: Container, spec: PodSpec, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    const rule = container.restartPolicyRules?.find(({ exitCodes }) => {
      const listed = exitCodes?.values?.includes(exitCode) ?? false;
      return exitCodes?.operator === "In" ? listed : exitCodes?.operator === "NotIn" && !listed;
    });
    if (rule?.action === "Restart" || rule?.action === "RestartAllContainers") return true;
  }
  const policy = container.restartPolicy ?? spec.restartPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

type Statuses = readonly ContainerStatus[] | undefined;

/** What has ended stays ended unless its restart policy lets it run again. */
function transitionErrors(
  next: Statuses,
  previous: Statuses,
  restarts: (name: string, exitCode: number) => boolean,
  at: FieldPath,
) {
  return each(at, previous, ({ name, state }, index) => {
    const ended = state?.terminated;
    const now = next?.find((status) => status.name === name);
    if (ended === undefined || now === undefined || now.state?.terminated !== undefined) return [];
    if (restarts(name, ended.exitCode ?? 0)) return [];
    return [forbiddenField(index.at("state"), "may not be transitioned to non-terminated state")];
  });
}

function allTransitionErrors({ status: next }: Pod, { status: before, spec }: Pod): FieldError[] {
  if (spec === undefined) return [];
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  const together = all.some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );
  const restartsIn = (containers: readonly Container[]) => (name: string, exitCode: number) => {
    const container = containers.find((one) => one.name === name);
    return together || (container !== undefined && mayRestart(container, spec, exitCode));
  };
  return [
    ...transitionErrors(
      next?.containerStatuses,
      before?.containerStatuses,
      restartsIn(spec.containers),
      path.at("containerStatuses"),
    ),
    ...transitionErrors(
      next?.initContainerStatuses,
      before?.initContainerStatuses,
      restartsIn(spec.initContainers ?? []),
      path.at("initContainerStatuses"),
    ),
    ...transitionErrors(
      next?.ephemeralContainerStatuses,
      before?.ephemeralContainerStatuses,
      () => false,
      path.at("ephemeralContainerStatuses"),
    ),
  ];
}

type Addresses = readonly { readonly ip?: string }[] | undefined;

/** One address of each family at most. */
function addressErrors(next: Addresses, previous: Addresses, at: FieldPath): FieldError[] {
  const before = (previous ?? []).map(({ ip = "" }) => ip);
  const errors = each(at, next, ({ ip = "" }, index) => legacyIp(index, ip, before));
  const families = (next ?? []).map(({ ip = "" }) => parseIp(ip, { sloppy: true })?.family);
  if (new Set(families).size === families.length && families.length <= 2) return errors;
  return [...errors, invalid(at, next, "may specify no more than one IP for each IP family")];
}

function hostAddressErrors({ status: next }: Pod, { status: before }: Pod): FieldError[] {
  if (!next?.hostIPs?.length) return [];
  const at = path.at("hostIPs");
  const first = next.hostIPs[0]?.ip;
  return [
    ...((next.hostIP ?? "") === first ? [] : [invalid(at.index(0).at("ip"), first, "must be equal to `hostIP`")]),
    ...addressErrors(next.hostIPs, before?.hostIPs, at),
  ];
}

/** Source: validateContainerStatusUsers. */
const userErrors = (pod: Pod): FieldError[] =>
  (["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const).flatMap((field) =>
    each(path.at(field), pod.status?.[field], ({ user }, at) => {
      const linux = user?.linux;
      if (linux === undefined) return [];
      const where = at.at("linux");
      if (pod.spec?.os?.name === "windows") return [forbiddenField(where, "cannot be set for a windows pod")];
      return [
        ...(linux.uid < 0 ? [invalid(where.at("uid"), linux.uid, NOT_NEGATIVE)] : []),
        ...(linux.gid < 0 ? [invalid(where.at("gid"), linux.gid, NOT_NEGATIVE)] : []),
      ];
    }),
  );

export function validatePodStatusUpdate(next: Pod, previous: Pod): FieldError[] {
  const generation = next.status?.observedGeneration ?? 0;
  const moved = (next.spec?.nodeName ?? "") !== (previous.spec?.nodeName ?? "");
  return [
    ...conditionErrors(next.status?.conditions),
    ...(moved ? [forbiddenField(path.at("nodeName"), "may not be changed directly")] : []),
    ...nominationErrors(next, previous),
    ...(generation < 0 ? [invalid(path.at("observedGeneration"), generation, NOT_NEGATIVE_INTEGER)] : []),
    ...validateImmutable(next.status?.qosClass, previous.status?.qosClass, path.at("qosClass")),
    ...allTransitionErrors(next, previous),
    ...addressErrors(next.status?.podIPs, previous.status?.podIPs, path.at("podIPs")),
    ...hostAddressErrors(next, previous),
    ...userErrors(next),
  ];
}
