/** Source: apis/apps/validation ValidateReplicaSetSpec, ValidateReplicaSetStatus (v1.36). */
import type { WriteContext } from "../../machinery/defineKind.ts";
import type { FieldError } from "../../machinery/fieldErrors.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { nonNegative } from "../checks.ts";
import type { ReplicaSet, ReplicaSetSpec, ReplicaSetStatus } from "../generated/apps-v1.ts";
import { atMostErrors, countErrors, selectorAndTemplateErrors, specPath } from "./workload.ts";

const specErrors = (spec: ReplicaSetSpec): FieldError[] => [
  ...nonNegative(specPath.at("replicas"), spec.replicas),
  ...nonNegative(specPath.at("minReadySeconds"), spec.minReadySeconds),
  ...selectorAndTemplateErrors(spec.selector, spec.template),
];

const statusErrors = (status: ReplicaSetStatus): FieldError[] => [
  ...countErrors(status, [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
    "terminatingReplicas",
  ]),
  ...atMostErrors(
    status,
    ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
    "replicas",
    "status.replicas",
  ),
  ...atMostErrors(status, ["availableReplicas"], "readyReplicas", "readyReplicas"),
];

export const validateReplicaSet = ({ spec, status }: ReplicaSet, { subresource }: WriteContext): FieldError[] =>
  subresource === "status"
    ? statusErrors(status ?? ({} as ReplicaSetStatus))
    : specErrors(spec ?? ({} as ReplicaSetSpec));

export const validateReplicaSetUpdate = (next: ReplicaSet, previous: ReplicaSet, { subresource }: WriteContext) =>
  subresource === "status"
    ? []
    : validateImmutable(next.spec?.selector, previous.spec?.selector, specPath.at("selector"));
