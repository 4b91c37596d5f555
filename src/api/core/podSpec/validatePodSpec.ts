/**
 * Checks of a pod's spec, in a pod or in a template, in upstream's order. Source: core/validation ValidatePodSpec
 * (v1.36) with the feature gates as they stand by default.
 */
import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalid,
  required,
} from "../../../machinery/fieldErrors.ts";
import { validateLabels } from "../../../machinery/labelSelector.ts";
import { inclusiveRangeError } from "../../../machinery/names.ts";
import {
  each,
  goForm,
  INT32_MAX,
  label,
  neededOneOf,
  optionalOneOf,
  qualifiedName,
  seenBefore,
  subdomain,
} from "../../checks.ts";
import type { PodResourceClaim, PodSpec } from "../../generated/core-v1.ts";
import { validateAffinity } from "./affinity.ts";
import {
  type ContainerContext,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from "./containers.ts";
import { validateFileKeyVolumes } from "./environment.ts";
import { validateDns, validateHostnames } from "./names.ts";
import { validateContainerResources, validatePodResources } from "./resources.ts";
import { validateHostUsers, validatePodSecurity } from "./security.ts";
import { validateTolerations } from "./tolerations.ts";
import { validateTopologySpread } from "./topologySpread.ts";
import { validateVolumes } from "./volumes.ts";
import { type VisitedContainer, validateForSystem, validateHostProcess } from "./windows.ts";

export interface PodSpecContext {
  /** False in a template. */
  readonly isPod: boolean;
  readonly podName?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
/** Source: core/v1 MirrorPodAnnotationKey. */
export const MIRROR_POD_ANNOTATION = "kubernetes.io/config.mirror";

/** Every container with its path: init containers first, as upstream visits them. */
export const visitContainers = (spec: PodSpec, path: FieldPath): VisitedContainer[] =>
  (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, index) => ({ container, path: path.at(field).index(index) })),
  );

/** Source: validatePodResourceClaim. */
function claimErrors(
  claims: readonly PodResourceClaim[] | undefined,
  { annotations }: PodSpecContext,
  path: FieldPath,
): FieldError[] {
  const names = new Set<string>();
  return each(path, claims, (claim, at) => {
    const { name, resourceClaimName: own, resourceClaimTemplateName: template } = claim;
    if (annotations?.[MIRROR_POD_ANNOTATION] !== undefined) {
      return [
        { type: "FieldValueForbidden", field: "", body: "Forbidden: static pods do not support resource claims" },
      ];
    }
    const shown = goForm(claim, ["Name", "ResourceClaimName", "ResourceClaimTemplateName"]);
    const several = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
    const none = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
    const nameErrors = !name
      ? [required(at.at("name"))]
      : seenBefore(names, name)
        ? [duplicate(at.at("name"), name)]
        : label(at.at("name"), name);
    return [
      ...nameErrors,
      ...(own !== undefined && template !== undefined ? [invalid(at, shown, several)] : []),
      ...(own === undefined && template === undefined ? [invalid(at, shown, none)] : []),
      ...(own !== undefined ? subdomain(at.at("resourceClaimName"), own) : []),
      ...(template !== undefined ? subdomain(at.at("resourceClaimTemplateName"), template) : []),
    ];
  });
}

/** On the host's network the host's port is the container's. Source: validatePodHostNetworkDeps. */
function hostNetworkErrors({ hostNetwork, containers }: PodSpec, { isPod }: PodSpecContext, path: FieldPath) {
  if (!hostNetwork) return [];
  return each(path.at("containers"), containers, ({ ports }, at) =>
    each(at.at("ports"), ports, ({ hostPort = 0, containerPort }, port) => {
      if ((!isPod && hostPort === 0) || hostPort === containerPort) return [];
      return [invalid(port.at("hostPort"), hostPort, "must match `containerPort` when `hostNetwork` is true")];
    }),
  );
}

const gateErrors = (spec: PodSpec, path: FieldPath): FieldError[] => {
  const seen = new Set<string>();
  return [
    ...each(path.at("readinessGates"), spec.readinessGates, ({ conditionType }, at) =>
      qualifiedName(at.at("conditionType"), conditionType ?? ""),
    ),
    ...each(path.at("schedulingGates"), spec.schedulingGates, ({ name }, at) => [
      ...qualifiedName(at, name ?? ""),
      ...(seenBefore(seen, name) ? [duplicate(at, name)] : []),
    ]),
  ];
};

const nameErrors = (spec: PodSpec, path: FieldPath): FieldError[] =>
  (["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] as const).flatMap((field) => {
    const name = spec[field];
    return name === undefined || (name === "" && field !== "runtimeClassName") ? [] : subdomain(path.at(field), name);
  });

function deadlineErrors({ activeDeadlineSeconds: seconds }: PodSpec, path: FieldPath): FieldError[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= INT32_MAX)) return [];
  return [invalid(path.at("activeDeadlineSeconds"), seconds, inclusiveRangeError(1, INT32_MAX))];
}

function systemErrors(spec: PodSpec, visited: readonly VisitedContainer[], path: FieldPath): FieldError[] {
  if (spec.os === undefined) return [];
  const { name } = spec.os;
  if (!name) return [required(path.at("os", "name"))];
  const errors = optionalOneOf(path.at("os"), name, ["linux", "windows"]);
  return errors.length > 0 ? errors : validateForSystem(spec, visited, path);
}

function schedulingGroupErrors({ schedulingGroup }: PodSpec, path: FieldPath): FieldError[] {
  if (schedulingGroup === undefined) return [];
  const at = path.at("schedulingGroup", "podGroupName");
  const name = schedulingGroup.podGroupName;
  return name === undefined ? [invalid(at, null, "must specify one of: `podGroupName`")] : subdomain(at, name);
}

/** Block devices cannot be mapped to other users. Source: validateHostUsers. */
const deviceErrors = (spec: PodSpec, visited: readonly VisitedContainer[]): FieldError[] =>
  visited
    .filter(({ container }) => spec.hostUsers === false && container.volumeDevices?.length)
    .map(({ path }) => forbiddenField(path.at("volumeDevices"), "when `hostUsers` is false"));

function partErrors(spec: PodSpec, context: PodSpecContext, path: FieldPath): FieldError[] {
  const { isPod, podName } = context;
  const { errors, usable } = validateVolumes(spec.volumes, { isPod, podName }, path.at("volumes"));
  const podClaims = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean));
  const containerContext: ContainerContext = { spec, volumes: usable, podClaims };
  return [
    ...errors,
    ...claimErrors(spec.resourceClaims, context, path.at("resourceClaims")),
    ...validateContainers(containerContext, path.at("containers")),
    ...validateInitContainers(containerContext, path.at("initContainers")),
    ...validateEphemeralContainers(containerContext, path.at("ephemeralContainers")),
    ...validatePodResources(spec, podClaims, path.at("resources")),
  ];
}

export function validatePodSpec(spec: PodSpec, context: PodSpecContext, path: FieldPath): FieldError[] {
  const visited = visitContainers(spec, path);
  const { terminationGracePeriodSeconds: grace, overhead, preemptionPolicy } = spec;
  return [
    ...(grace === undefined ? [required(path.at("terminationGracePeriodSeconds"))] : []),
    ...partErrors(spec, context, path),
    ...hostNetworkErrors(spec, context, path),
    ...neededOneOf(path.at("restartPolicy"), spec.restartPolicy, RESTART_POLICIES),
    ...validateDns(spec, path),
    ...validateLabels(spec.nodeSelector, path.at("nodeSelector")),
    ...validatePodSecurity(spec, path.at("securityContext")),
    ...validateAffinity(spec.affinity, path.at("affinity")),
    ...gateErrors(spec, path),
    ...validateTopologySpread(spec.topologySpreadConstraints, path.at("topologySpreadConstraints")),
    ...validateHostProcess(spec, visited, path),
    ...validateHostUsers(spec, path),
    ...deviceErrors(spec, visited),
    ...validateHostnames(spec, path),
    ...nameErrors(spec, path),
    ...deadlineErrors(spec, path),
    ...validateTolerations(spec.tolerations, path.at("tolerations")),
    ...(preemptionPolicy === undefined
      ? []
      : neededOneOf(path.at("preemptionPolicy"), preemptionPolicy, ["PreemptLowerPriority", "Never"])),
    ...(overhead ? validateContainerResources({ limits: overhead }, new Set(), path.at("overhead")) : []),
    ...systemErrors(spec, visited, path),
    ...schedulingGroupErrors(spec, path),
    ...validateFileKeyVolumes(spec, visited),
  ];
}
