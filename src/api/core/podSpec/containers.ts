/** Containers, init containers and ephemeral containers of a pod. Source: core/validation (v1.36). */
import {
  duplicate,
  type FieldError,
  type FieldPath,
  fieldNotFound,
  forbiddenField,
  invalid,
  required,
} from "../../../machinery/fieldErrors.ts";
import { each, isEmpty, needed, neededLabel, neededOneOf, seenBefore } from "../../checks.ts";
import type { Container, EphemeralContainer, PodSpec } from "../../generated/core-v1.ts";
import { isRestartableInitContainer } from "./aggregateResources.ts";
import { validateContainerPorts, validateHostPortConflicts } from "./containerPorts.ts";
import { validateEnv, validateEnvFrom } from "./environment.ts";
import { validateLifecycle, validateProbes } from "./probes.ts";
import { validateContainerResources } from "./resources.ts";
import { validateResizePolicy, validateRestartRules } from "./restartRules.ts";
import { validateContainerSecurity } from "./security.ts";
import { type Volumes, validateVolumeDevices, validateVolumeMounts } from "./volumeMounts.ts";
import { PULL_POLICIES } from "./volumes.ts";

const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];

export interface ContainerContext {
  readonly spec: PodSpec;
  readonly volumes: Volumes;
  readonly podClaims: ReadonlySet<string>;
}

/** Source: validateContainerCommon. */
function commonErrors(container: Container, { spec, volumes, podClaims }: ContainerContext, path: FieldPath) {
  const hostUsers = spec.hostUsers !== false;
  return [
    ...neededLabel(path.at("name"), container.name),
    ...needed(path.at("image"), container.image),
    ...neededOneOf(path.at("terminationMessagePolicy"), container.terminationMessagePolicy, MESSAGE_POLICIES),
    ...validateContainerPorts(container.ports, path.at("ports")),
    ...validateEnv(container.env, path.at("env")),
    ...validateEnvFrom(container.envFrom, path.at("envFrom")),
    ...validateVolumeMounts(container, volumes, path.at("volumeMounts")),
    ...validateVolumeDevices(container, volumes, path.at("volumeDevices")),
    ...neededOneOf(path.at("imagePullPolicy"), container.imagePullPolicy, PULL_POLICIES),
    ...validateContainerResources(container.resources, podClaims, path.at("resources")),
    ...validateResizePolicy(container.resizePolicy, spec.restartPolicy, path.at("resizePolicy")),
    ...validateContainerSecurity(container.securityContext, { hostUsers }, path.at("securityContext")),
  ];
}

/** What runs on: containers proper and sidecars. */
const runningErrors = (container: Container, { spec }: ContainerContext, path: FieldPath): FieldError[] => [
  ...validateLifecycle(container.lifecycle, spec.terminationGracePeriodSeconds, path.at("lifecycle")),
  ...validateProbes(container, spec.terminationGracePeriodSeconds, path),
];

export function validateContainers(context: ContainerContext, path: FieldPath): FieldError[] {
  const { containers = [] } = context.spec;
  if (containers.length === 0) return [required(path)];
  const names = new Set<string>();
  const errors = each(path, containers, (container, at) => [
    ...commonErrors(container, context, at),
    ...(seenBefore(names, container.name) ? [duplicate(at.at("name"), container.name ?? "")] : []),
    ...runningErrors(container, context, at),
    ...validateRestartRules(container, at),
  ]);
  return [...errors, ...validateHostPortConflicts(containers, path)];
}

const NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always";
const RUNNING_FIELDS = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

/** What runs to its end has no hooks and probes, and is not restarted for a resize. */
const endingErrors = (container: Container, path: FieldPath): FieldError[] => [
  ...RUNNING_FIELDS.filter((field) => container[field] !== undefined).map((field) =>
    forbiddenField(path.at(field), NOT_FOR_INIT),
  ),
  ...each(path.at("resizePolicy"), container.resizePolicy, ({ restartPolicy }, at) => {
    if (restartPolicy !== "RestartContainer") return [];
    const reason = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    return [invalid(at.at("restartPolicy"), restartPolicy, reason)];
  }),
];

export function validateInitContainers(context: ContainerContext, path: FieldPath): FieldError[] {
  const { containers = [], initContainers } = context.spec;
  const names = new Set(containers.map(({ name }) => name));
  return each(path, initContainers, (container, at) => [
    ...commonErrors(container, context, at),
    ...validateRestartRules(container, at),
    ...(container.name && seenBefore(names, container.name) ? [duplicate(at.at("name"), container.name)] : []),
    ...validateHostPortConflicts([container], path),
    ...(isRestartableInitContainer(container) ? runningErrors(container, context, at) : endingErrors(container, at)),
  ]);
}

const NOT_FOR_EPHEMERAL = "cannot be set for an Ephemeral Container";
/** Source: the complement of allowedEphemeralContainerFields. */
const EPHEMERAL_FORBIDDEN = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;

const isUnset = (value: unknown): boolean =>
  isEmpty(value) || (typeof value === "object" && Object.keys(value as object).length === 0);

const ephemeralFieldErrors = (container: EphemeralContainer, path: FieldPath): FieldError[] => [
  ...EPHEMERAL_FORBIDDEN.filter((field) => !isUnset(container[field])).map((field) =>
    forbiddenField(path.at(field), NOT_FOR_EPHEMERAL),
  ),
  ...each(path.at("volumeMounts"), container.volumeMounts, ({ subPath, subPathExpr }, at) => [
    ...(subPath ? [forbiddenField(at.at("subPath"), NOT_FOR_EPHEMERAL)] : []),
    ...(subPathExpr ? [forbiddenField(at.at("subPathExpr"), NOT_FOR_EPHEMERAL)] : []),
  ]),
];

export function validateEphemeralContainers(context: ContainerContext, path: FieldPath): FieldError[] {
  const { containers = [], initContainers = [], ephemeralContainers } = context.spec;
  const others = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(others);
  return each(path, ephemeralContainers, (container, at) => {
    const target = container.targetContainerName;
    return [
      ...commonErrors(container, context, at),
      ...imageBlanks(container, at),
      ...(seenBefore(names, container.name) ? [duplicate(at.at("name"), container.name)] : []),
      ...(target && !others.has(target) ? [fieldNotFound(at.at("targetContainerName"), target)] : []),
      ...ephemeralFieldErrors(container, at),
    ];
  });
}

/** In pods, but not in templates. Source: validateContainerOnlyForPod. */
export const imageBlanks = ({ image = "" }: Container, path: FieldPath): FieldError[] =>
  image.trim() === image ? [] : [invalid(path.at("image"), image, "must not have leading or trailing whitespace")];
