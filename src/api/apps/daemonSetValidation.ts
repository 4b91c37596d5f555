/** Source: apis/apps/validation ValidateDaemonSetSpec, validateDaemonSetStatus (v1.36). */
import type { WriteContext } from "../../machinery/defineKind.ts";
import { type FieldError, invalid, notSupported, required } from "../../machinery/fieldErrors.ts";
import { validateLabelSelector } from "../../machinery/labelSelector.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { nonNegative } from "../checks.ts";
import { validatePodTemplate } from "../core/podTemplateValidation.ts";
import type { DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from "../generated/apps-v1.ts";
import { goObject } from "../goObject.ts";
import {
  amountOf,
  atMost100Percent,
  collisionErrors,
  countErrors,
  endlessErrors,
  intOrPercent,
  isEmptySelector,
  parsedSelector,
  specPath,
  templateLabelErrors,
} from "./workload.ts";

/** A node has the old pod or the new one, or for a while none or both. */
function strategyErrors(strategy: DaemonSetUpdateStrategy = {}): FieldError[] {
  const path = specPath.at("updateStrategy");
  const at = path.at("rollingUpdate");
  const { type, rollingUpdate } = strategy;
  if (type === "OnDelete") return [];
  if (type !== "RollingUpdate") {
    return [notSupported(path, goObject("DaemonSetUpdateStrategy", strategy), ["RollingUpdate", "OnDelete"])];
  }
  if (rollingUpdate === undefined) return [required(at)];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const [unavailable, surge] = [amountOf(maxUnavailable) !== 0, amountOf(maxSurge) !== 0];
  return [
    ...intOrPercent(at.at("maxUnavailable"), maxUnavailable),
    ...intOrPercent(at.at("maxSurge"), maxSurge),
    ...atMost100Percent(at.at("maxUnavailable"), maxUnavailable),
    ...atMost100Percent(at.at("maxSurge"), maxSurge),
    ...(unavailable && surge
      ? [invalid(at.at("maxSurge"), maxSurge, "may not be set when maxUnavailable is non-zero")]
      : []),
    ...(unavailable || surge ? [] : [required(at.at("maxUnavailable"), "cannot be 0 when maxSurge is 0")]),
  ];
}

function specErrors(spec: DaemonSetSpec): FieldError[] {
  const { selector, template = {} } = spec;
  const path = specPath.at("selector");
  return [
    ...validateLabelSelector(selector, path),
    ...templateLabelErrors(parsedSelector(selector), template),
    ...(selector !== undefined && isEmptySelector(selector)
      ? [invalid(path, selector, "empty selector is invalid for daemonset")]
      : []),
    ...validatePodTemplate(template, specPath.at("template")),
    ...endlessErrors(template, "DaemonSet"),
    ...nonNegative(specPath.at("minReadySeconds"), spec.minReadySeconds),
    ...strategyErrors(spec.updateStrategy),
    ...nonNegative(specPath.at("revisionHistoryLimit"), spec.revisionHistoryLimit),
  ];
}

const statusErrors = (status: DaemonSetStatus): FieldError[] =>
  countErrors(status, [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ]);

export const validateDaemonSet = ({ spec, status }: DaemonSet, { subresource }: WriteContext): FieldError[] =>
  subresource === "status"
    ? statusErrors(status ?? ({} as DaemonSetStatus))
    : specErrors(spec ?? ({} as DaemonSetSpec));

export const validateDaemonSetUpdate = (next: DaemonSet, previous: DaemonSet, { subresource }: WriteContext) =>
  subresource === "status"
    ? collisionErrors(next.status?.collisionCount, previous.status?.collisionCount)
    : validateImmutable(next.spec?.selector, previous.spec?.selector, specPath.at("selector"));
