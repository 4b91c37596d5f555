/** What may change in a pod that exists. Source: core/validation ValidatePodUpdate and kin (v1.36). */
import { unifiedDiff } from "../../lib/unifiedDiff.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import type { WriteContext } from "../../machinery/defineKind.ts";
import { type FieldError, FieldPath, forbiddenField, invalid, required, root } from "../../machinery/fieldErrors.ts";
import { inclusiveRangeError } from "../../machinery/names.ts";
import { each, INT32_MAX } from "../checks.ts";
import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec } from "../generated/core-v1.ts";
import { goIndented, goObject, goPodSpec } from "../goObject.ts";
import { validatePodAnnotationUpdate } from "./podAnnotations.ts";
import { validatePodResize } from "./podResize.ts";
import { validateAddedTolerations } from "./podSpec/tolerations.ts";
import { MIRROR_POD_ANNOTATION } from "./podSpec/validatePodSpec.ts";
import { validatePodStatusUpdate } from "./podStatusValidation.ts";

const specPath = new FieldPath("spec");

/** Source: updatablePodSpecFields. */
const UPDATABLE = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

function imageErrors(next: readonly Container[] = [], path: FieldPath): FieldError[] {
  return each(path, next, ({ image = "" }, at) => {
    const errors = image === "" ? [required(at.at("image"))] : [];
    if (image.trim() !== image) {
      errors.push(invalid(at.at("image"), image, "must not have leading or trailing whitespace"));
    }
    return errors;
  });
}

/** Set once, and only lowered after that. */
function deadlineErrors(next: number | undefined, previous: number | undefined): FieldError[] {
  const path = specPath.at("activeDeadlineSeconds");
  if (next === undefined) {
    const reason = "must not update from a positive integer to nil value";
    return previous === undefined ? [] : [invalid(path, null, reason)];
  }
  if (next < 0 || next > INT32_MAX) return [invalid(path, next, inclusiveRangeError(0, INT32_MAX))];
  if (previous === undefined || previous >= next) return [];
  return [invalid(path, next, "must be less than or equal to previous value")];
}

function gateErrors({ schedulingGates: next }: PodSpec, { schedulingGates: previous = [] }: PodSpec): FieldError[] {
  return each(specPath.at("schedulingGates"), next, ({ name }, at) =>
    previous.some((gate) => gate.name === name)
      ? []
      : [forbiddenField(at.at("name"), `only deletion is allowed, but found new scheduling gate '${name}'`)],
  );
}

function selectorErrors(next: PodSpec["nodeSelector"] = {}, previous: PodSpec["nodeSelector"] = {}): FieldError[] {
  const kept = Object.entries(previous).every(([key, value]) => next[key] === value);
  const reason = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
  return kept ? [] : [invalid(specPath.at("nodeSelector"), next, reason)];
}

/** Whether the new list begins with the old one. */
const onlyGrows = (next: readonly unknown[] = [], previous: readonly unknown[] = []): boolean =>
  next.length >= previous.length && semanticEqual(next.slice(0, previous.length), previous);

function termOnlyGrows(next: NodeSelectorTerm, previous: NodeSelectorTerm): boolean {
  const isEmpty = (term: NodeSelectorTerm) => !term.matchExpressions?.length && !term.matchFields?.length;
  if (isEmpty(previous) && !isEmpty(next)) return false;
  return (
    onlyGrows(next.matchExpressions, previous.matchExpressions) && onlyGrows(next.matchFields, previous.matchFields)
  );
}

function nodeAffinityErrors(next: NodeAffinity | undefined, previous: NodeAffinity | undefined): FieldError[] {
  const field = "requiredDuringSchedulingIgnoredDuringExecution";
  const before = previous?.[field]?.nodeSelectorTerms ?? [];
  const after = next?.[field]?.nodeSelectorTerms ?? [];
  const path = specPath.at("affinity", "nodeAffinity", field, "nodeSelectorTerms");
  if (before.length > 0 && before.length !== after.length) {
    return [invalid(path, after, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")];
  }
  return before.flatMap((term, index) =>
    termOnlyGrows(after[index] ?? {}, term)
      ? []
      : [invalid(path.index(index), after[index], "only additions are allowed (no mutations or deletions)")],
  );
}

const withImagesOf = (next: readonly Container[] | undefined, previous: readonly Container[] | undefined) =>
  next?.map((container, index) => ({ ...container, image: previous?.[index]?.image }));

/** The new spec with everything that may change put back: what then differs is forbidden. */
function restored(next: PodSpec, previous: PodSpec): PodSpec {
  const wasGated = (previous.schedulingGates ?? []).length > 0;
  const { nodeAffinity: _, ...others } = next.affinity ?? {};
  const old = previous.affinity?.nodeAffinity;
  const affinity = { ...others, ...(old !== undefined && { nodeAffinity: old }) };
  const graceRaised =
    (previous.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1
      ? { terminationGracePeriodSeconds: previous.terminationGracePeriodSeconds }
      : {};
  return {
    ...next,
    containers: withImagesOf(next.containers, previous.containers) ?? [],
    initContainers: withImagesOf(next.initContainers, previous.initContainers),
    activeDeadlineSeconds: previous.activeDeadlineSeconds,
    schedulingGates: previous.schedulingGates,
    tolerations: previous.tolerations,
    ...graceRaised,
    ...(wasGated && {
      nodeSelector: previous.nodeSelector,
      affinity: Object.keys(affinity).length > 0 ? affinity : undefined,
    }),
  };
}

function specErrors(next: PodSpec, previous: PodSpec): FieldError[] {
  for (const field of ["containers", "initContainers"] as const) {
    if ((next[field]?.length ?? 0) !== (previous[field]?.length ?? 0)) {
      return [forbiddenField(specPath.at(field), "pod updates may not add or remove containers")];
    }
  }
  const errors = [
    ...imageErrors(next.containers, specPath.at("containers")),
    ...imageErrors(next.initContainers, specPath.at("initContainers")),
    ...deadlineErrors(next.activeDeadlineSeconds, previous.activeDeadlineSeconds),
    ...validateAddedTolerations(next.tolerations, previous.tolerations, specPath.at("tolerations")),
    ...gateErrors(next, previous),
  ];
  if ((previous.schedulingGates ?? []).length > 0) {
    errors.push(...selectorErrors(next.nodeSelector, previous.nodeSelector));
    errors.push(...nodeAffinityErrors(next.affinity?.nodeAffinity, previous.affinity?.nodeAffinity));
  }
  const rest = restored(next, previous);
  if (semanticEqual(rest, previous)) return errors;
  const diff = unifiedDiff(goIndented(goPodSpec(previous)), goIndented(goPodSpec(rest)));
  return [...errors, forbiddenField(specPath, `pod updates may not change fields other than ${UPDATABLE}\n${diff}`)];
}

/** Ephemeral containers come and stay. Source: ValidatePodEphemeralContainersUpdate. */
function ephemeralErrors(next: PodSpec, previous: Pod): FieldError[] {
  if (previous.metadata.annotations?.[MIRROR_POD_ANNOTATION] !== undefined) {
    return [forbiddenField(root, "static pods do not support ephemeral containers")];
  }
  const path = specPath.at("ephemeralContainers");
  return (previous.spec?.ephemeralContainers ?? []).flatMap((old) => {
    const same = next.ephemeralContainers?.find(({ name }) => name === old.name);
    const what = `existing ephemeral containers ${JSON.stringify(old.name)} may not be`;
    if (same === undefined) return [forbiddenField(path, `${what} removed\n`)];
    if (semanticEqual(same, old)) return [];
    const shown = (one: object) => goIndented(goObject("EphemeralContainer", one));
    return [forbiddenField(path, `${what} changed\n${unifiedDiff(shown(old), shown(same))}`)];
  });
}

export function validatePodUpdate(next: Pod, previous: Pod, { subresource }: WriteContext): FieldError[] {
  const annotations = new FieldPath("metadata").at("annotations");
  const errors = validatePodAnnotationUpdate(next.metadata.annotations, previous.metadata.annotations, annotations);
  const [spec, before] = [next.spec ?? { containers: [] }, previous.spec ?? { containers: [] }];
  switch (subresource) {
    case "status":
      return [...errors, ...validatePodStatusUpdate(next, previous)];
    case "ephemeralcontainers":
      return [...errors, ...ephemeralErrors(spec, previous)];
    case "resize":
      return [...errors, ...validatePodResize(next, previous)];
    case "binding":
      return [];
    default:
      return [...errors, ...specErrors(spec, before)];
  }
}
