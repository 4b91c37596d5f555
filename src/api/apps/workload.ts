/** What Deployments, ReplicaSets and DaemonSets have in common. Source: apis/apps/validation/validation.go (v1.36). */
import { type FieldError, FieldPath, forbiddenField, invalid, notSupported } from "../../machinery/fieldErrors.ts";
import {
  labelSelectorOf,
  type Selector,
  selectorMatches,
  validateLabelSelector,
} from "../../machinery/labelSelector.ts";
import { dns1123Label, percentReasons } from "../../machinery/names.ts";
import type { KubeObject, LabelSelector } from "../../machinery/object.ts";
import { because, needed, nonNegative } from "../checks.ts";
import { validatePodTemplate } from "../core/podTemplateValidation.ts";
import { podTemplateWarnings } from "../core/podWarnings.ts";
import type { PodTemplateSpec } from "../generated/core-v1.ts";

export const specPath = new FieldPath("spec");
export const statusPath = new FieldPath("status");

export type IntOrPercent = number | string;

const isPercent = (value: IntOrPercent): boolean => typeof value === "string" && percentReasons(value).length === 0;

/** 25 for 25 and for "25%". Source: getIntOrPercentValue. */
export const amountOf = (value: IntOrPercent = 0): number =>
  typeof value === "number" ? value : isPercent(value) ? Number.parseInt(value, 10) : Number(value) || 0;

export const intOrPercent = (path: FieldPath, value: IntOrPercent = 0): FieldError[] =>
  typeof value === "string" ? because(path, value, percentReasons(value)) : nonNegative(path, value);

export const atMost100Percent = (path: FieldPath, value: IntOrPercent = 0): FieldError[] =>
  isPercent(value) && amountOf(value) > 100 ? [invalid(path, value, "must not be greater than 100%")] : [];

/** The selector, or undefined for one that says nothing sensible. */
export function parsedSelector(selector: LabelSelector | undefined): Selector | undefined {
  try {
    return labelSelectorOf(selector);
  } catch {
    return undefined;
  }
}

export const isEmptySelector = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels ?? {}).length + (matchExpressions?.length ?? 0) === 0;

const labelsPath = specPath.at("template", "metadata", "labels");

/** The pods made must be those that are then found. */
export function templateLabelErrors(selector: Selector | undefined, template: PodTemplateSpec): FieldError[] {
  const labels = template.metadata?.labels;
  if (selector === undefined || selectorMatches(selector, labels)) return [];
  return [invalid(labelsPath, labels ?? null, "`selector` does not match template `labels`")];
}

/** Pods of a workload go on for ever. */
export function endlessErrors({ spec }: PodTemplateSpec, kind: string): FieldError[] {
  const path = specPath.at("template", "spec");
  const errors: FieldError[] = [];
  if (spec?.restartPolicy !== "Always") {
    errors.push(notSupported(path.at("restartPolicy"), spec?.restartPolicy ?? "", ["Always"]));
  }
  if (spec?.activeDeadlineSeconds !== undefined) {
    const reason = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbiddenField(path.at("activeDeadlineSeconds"), reason));
  }
  return errors;
}

const NO_TEMPLATE: PodTemplateSpec = {};

/** Selector and template of a Deployment or ReplicaSet; the texts say "deployment" and "ReplicaSet" for both. */
export function selectorAndTemplateErrors(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec = NO_TEMPLATE,
): FieldError[] {
  const path = specPath.at("selector");
  const errors = [...needed(path, selector), ...validateLabelSelector(selector, path)];
  if (selector !== undefined && isEmptySelector(selector)) {
    errors.push(invalid(path, selector, "empty selector is invalid for deployment"));
  }
  const parsed = parsedSelector(selector);
  if (parsed === undefined) return [...errors, invalid(path, selector, "invalid label selector")];
  return [
    ...errors,
    ...templateLabelErrors(parsed, template),
    ...validatePodTemplate(template, specPath.at("template")),
    ...endlessErrors(template, "ReplicaSet"),
  ];
}

/** Numbers of a status; none is below zero. */
export const countErrors = <S extends object>(status: S, fields: readonly (keyof S & string)[]): FieldError[] =>
  fields.flatMap((field) => nonNegative(statusPath.at(field), status[field] as number | undefined));

/** Some counts cannot be above others. */
export function atMostErrors<S extends object>(
  status: S,
  fields: readonly (keyof S & string)[],
  most: keyof S & string,
  text: string,
): FieldError[] {
  const limit = (status[most] as number | undefined) ?? 0;
  return fields.flatMap((field) => {
    const value = (status[field] as number | undefined) ?? 0;
    return value > limit ? [invalid(statusPath.at(field), value, `cannot be greater than ${text}`)] : [];
  });
}

/** It counts hash collisions, and only up. */
export function collisionErrors(next: number | undefined, previous: number | undefined): FieldError[] {
  if (previous === undefined || (next ?? 0) >= previous) return [];
  return [invalid(statusPath.at("collisionCount"), next ?? 0, "cannot be decremented")];
}

/** Source: registry/apps/deployment strategy.go, WarningsOnCreate and WarningsOnUpdate. */
export function workloadWarnings({ metadata, spec }: Workload, previous?: Workload): string[] {
  if (previous !== undefined) {
    return metadata.generation === previous.metadata.generation ? [] : podTemplateWarnings(spec?.template);
  }
  const reasons = dns1123Label(metadata.name);
  const text = "this is used in Pod names and hostnames, which can result in surprising behavior";
  const named = `metadata.name: ${text}; a DNS label is recommended: [${reasons.join(" ")}]`;
  return [...(reasons.length === 0 ? [] : [named]), ...podTemplateWarnings(spec?.template)];
}

interface Workload extends KubeObject {
  readonly spec?: { readonly template?: PodTemplateSpec };
}
