/** Source: apis/apps/validation ValidateDeploymentSpec, ValidateDeploymentStatus (v1.36). */
import type { WriteContext } from "../../machinery/defineKind.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../../machinery/fieldErrors.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { nonNegative } from "../checks.ts";
import type { Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy } from "../generated/apps-v1.ts";
import { goObject } from "../goObject.ts";
import {
  amountOf,
  atMost100Percent,
  atMostErrors,
  collisionErrors,
  countErrors,
  intOrPercent,
  selectorAndTemplateErrors,
  specPath,
} from "./workload.ts";

function strategyErrors(strategy: DeploymentStrategy = {}): FieldError[] {
  const path = specPath.at("strategy");
  const at = path.at("rollingUpdate");
  const { type, rollingUpdate } = strategy;
  if (type === "Recreate") {
    const reason = "may not be specified when strategy `type` is 'Recreate'";
    return rollingUpdate === undefined ? [] : [forbiddenField(at, reason)];
  }
  if (type !== "RollingUpdate") {
    return [notSupported(path, goObject("DeploymentStrategy", strategy), ["Recreate", "RollingUpdate"])];
  }
  if (rollingUpdate === undefined) return [required(at, "this should be defaulted and never be nil")];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const stuck = amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0;
  return [
    ...intOrPercent(at.at("maxUnavailable"), maxUnavailable),
    ...intOrPercent(at.at("maxSurge"), maxSurge),
    ...(stuck ? [invalid(at.at("maxUnavailable"), maxUnavailable, "may not be 0 when `maxSurge` is 0")] : []),
    ...atMost100Percent(at.at("maxUnavailable"), maxUnavailable),
  ];
}

function deadlineErrors({ progressDeadlineSeconds: deadline, minReadySeconds = 0 }: DeploymentSpec): FieldError[] {
  if (deadline === undefined) return [];
  const path = specPath.at("progressDeadlineSeconds");
  const errors = nonNegative(path, deadline);
  return deadline > minReadySeconds
    ? errors
    : [...errors, invalid(path, deadline, "must be greater than minReadySeconds")];
}

const specErrors = (spec: DeploymentSpec): FieldError[] => [
  ...nonNegative(specPath.at("replicas"), spec.replicas),
  ...selectorAndTemplateErrors(spec.selector, spec.template),
  ...strategyErrors(spec.strategy),
  ...nonNegative(specPath.at("minReadySeconds"), spec.minReadySeconds),
  ...nonNegative(specPath.at("revisionHistoryLimit"), spec.revisionHistoryLimit),
  ...deadlineErrors(spec),
];

const statusErrors = (status: DeploymentStatus): FieldError[] => [
  ...countErrors(status, [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
  ]),
  ...atMostErrors(status, ["updatedReplicas", "readyReplicas", "availableReplicas"], "replicas", "status.replicas"),
  ...atMostErrors(status, ["availableReplicas"], "readyReplicas", "readyReplicas"),
];

const NO_SPEC = {} as DeploymentSpec;

export const validateDeployment = ({ spec, status }: Deployment, { subresource }: WriteContext): FieldError[] =>
  subresource === "status" ? statusErrors(status ?? {}) : specErrors(spec ?? NO_SPEC);

export const validateDeploymentUpdate = (next: Deployment, previous: Deployment, { subresource }: WriteContext) =>
  subresource === "status"
    ? collisionErrors(next.status?.collisionCount, previous.status?.collisionCount)
    : validateImmutable(next.spec?.selector, previous.spec?.selector, specPath.at("selector"));
