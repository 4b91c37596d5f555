/** Changes of a running pod's resources. Source: core/validation ValidatePodResize, pod strategy.go (v1.36). */
import { semanticEqual } from "../../machinery/deepEqual.ts";
import { type FieldError, FieldPath, forbiddenField, invalid, root } from "../../machinery/fieldErrors.ts";
import { each } from "../checks.ts";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../generated/core-v1.ts";
import { computeQosClass } from "./podQos.ts";
import { isRestartableInitContainer } from "./podSpec/aggregateResources.ts";
import { MIRROR_POD_ANNOTATION } from "./podSpec/validatePodSpec.ts";

const specPath = new FieldPath("spec");
const ONLY_COMPUTE = "only cpu and memory resources are mutable";

/** A resize writes resources and resize policies and nothing else. Source: dropNonResizeUpdates. */
export function keepAllButResources(next: Pod, previous: Pod): Pod {
  const [spec, before] = [next.spec, previous.spec];
  if (spec === undefined || before === undefined) return next;
  const sameCount = (field: "containers" | "initContainers") =>
    (spec[field] ?? []).length === (before[field] ?? []).length;
  if (!sameCount("containers") || !sameCount("initContainers")) return next;
  return {
    ...previous,
    metadata: next.metadata,
    spec: {
      ...before,
      ...(spec.resources !== undefined && { resources: spec.resources }),
      containers: withResources(spec.containers, before.containers),
      ...(before.initContainers && {
        initContainers: withResources(spec.initContainers ?? [], before.initContainers),
      }),
    },
  };
}

/** Containers that were renamed or moved are left for validation to refuse. */
function withResources(next: readonly Container[], previous: readonly Container[]): readonly Container[] {
  if (next.some(({ name }, index) => name !== previous[index]?.name)) return next;
  return previous.map((container, index) => ({
    ...container,
    resources: next[index]?.resources,
    resizePolicy: next[index]?.resizePolicy,
  }));
}

type List = ResourceRequirements["limits"];

const isRemoved = (next: List = {}, previous: List = {}): boolean =>
  Object.keys(previous).some((name) => next[name] === undefined);

function removalErrors(
  next: ResourceRequirements = {},
  previous: ResourceRequirements = {},
  what: string,
  at: FieldPath,
) {
  return (["requests", "limits"] as const)
    .filter((field) => isRemoved(next[field], previous[field]))
    .map((field) => forbiddenField(at.at(field), `${what}resource ${field} cannot be removed`));
}

const withoutCompute = ({ cpu: _, memory: __, ...rest }: Record<string, string> = {}) => rest;

/** Whether anything but cpu and memory differs. */
const differsBeyondCompute = (next: ResourceRequirements = {}, previous: ResourceRequirements = {}): boolean =>
  (["requests", "limits"] as const).some(
    (field) => !semanticEqual(withoutCompute(next[field] as never), withoutCompute(previous[field] as never)),
  ) || !semanticEqual(next.claims, previous.claims);

function containerChanged(next: Container, previous: Container): boolean {
  const { resources, ...rest } = next;
  const { resources: before, ...restBefore } = previous;
  return differsBeyondCompute(resources, before) || !semanticEqual(rest, restBefore);
}

function orderErrors(next: PodSpec, previous: PodSpec): FieldError[] {
  return (["containers", "initContainers"] as const).flatMap((field) => {
    const [after, before] = [next[field] ?? [], previous[field] ?? []];
    const path = specPath.at(field);
    if (after.length !== before.length) {
      return [forbiddenField(path, `${field} may not be added or removed on resize`)];
    }
    const reason = `${field} may not be renamed or reordered on resize`;
    return each(path, before, ({ name }, at, index) =>
      after[index]?.name === name ? [] : [forbiddenField(at.at("name"), reason)],
    );
  });
}

function initErrors(next: Container, previous: Container, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (containerChanged(next, previous)) {
    errors.push(forbiddenField(at, "only cpu and memory resources for init or sidecar containers are mutable"));
  }
  const restarts = next.resizePolicy?.some(({ restartPolicy }) => restartPolicy === "RestartContainer");
  if (restarts && !isRestartableInitContainer(next) && !semanticEqual(next, previous)) {
    const reason = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
    errors.push(forbiddenField(at, reason));
  }
  return errors;
}

function podLevelErrors({ resources: next }: PodSpec, { resources: previous }: PodSpec): FieldError[] {
  const path = specPath.at("resources");
  if (previous !== undefined && next === undefined) {
    return [forbiddenField(path, "pod-level resources cannot be removed")];
  }
  const errors = removalErrors(next, previous, "pod-level ", path);
  if (!differsBeyondCompute(next, previous)) return errors;
  return [...errors, forbiddenField(specPath, "only cpu and memory resources are mutable at pod-level")];
}

/** A node that reports no resources of a running container cannot resize it. Source: isPodResizeRequestSupported. */
function isSupported({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

export function validatePodResize(next: Pod, previous: Pod): FieldError[] {
  const [spec, before] = [next.spec, previous.spec];
  if (spec === undefined || before === undefined) return [];
  if (previous.metadata.annotations?.[MIRROR_POD_ANNOTATION] !== undefined) {
    return [forbiddenField(root, "static pods cannot be resized")];
  }
  if (before.os?.name === "windows") return [forbiddenField(root, "windows pods cannot be resized")];
  const errors: FieldError[] = [];
  const qosClass = previous.status?.qosClass ?? computeQosClass(before);
  if (qosClass !== computeQosClass(spec)) {
    errors.push(invalid(specPath, next.status?.qosClass ?? "", "Pod QOS Class may not change as a result of resizing"));
  }
  if (!isSupported(previous)) errors.push(forbiddenField(specPath, "Pod running on node without support for resize"));
  errors.push(...podLevelErrors(spec, before));
  const order = orderErrors(spec, before);
  if (order.length > 0) return [...errors, ...order];
  const initPath = specPath.at("initContainers");
  const path = specPath.at("containers");
  const pairs = (list: readonly Container[] = [], old: readonly Container[] = []) =>
    list.map((container, index) => [container, old[index] as Container] as const);
  for (const [index, [container, old]] of pairs(spec.initContainers, before.initContainers).entries()) {
    const at = initPath.index(index);
    errors.push(...removalErrors(container.resources, old.resources, "", at.at("resources")));
    errors.push(...initErrors(container, old, at));
  }
  for (const [index, [container, old]] of pairs(spec.containers, before.containers).entries()) {
    errors.push(...removalErrors(container.resources, old.resources, "", path.index(index).at("resources")));
    if (containerChanged(container, old)) errors.push(forbiddenField(specPath, ONLY_COMPUTE));
  }
  return errors;
}
