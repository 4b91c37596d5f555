/** What a Deployment does next. Source: pkg/controller/deployment/deployment_controller.go and sync.go. */
import type { Deployment, DeploymentStatus, ReplicaSet } from "../../api/generated/apps-v1.ts";
import type { Pod } from "../../api/generated/core-v1.ts";
import { deployment as deploymentKind, replicaSet } from "../../api/index.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import type { Draft, ObjectMeta } from "../../machinery/object.ts";
import { controllerOf, ownerReferenceFor } from "../../machinery/ownerReferences.ts";
import { REVISION, TEMPLATE_HASH } from "./deploymentNames.ts";
import {
  baseStatus,
  type Conditions,
  conditionOf,
  deadlineCheckMs,
  isComplete,
  pausedConditions,
  progressDeadline,
  rolloutStatus,
  withCondition,
} from "./deploymentStatus.ts";
import { podTemplateHash } from "./podTemplateHash.ts";
import { areOldPodsRunning, scaleDownAll } from "./recreate.ts";
import { byCreation, expiredSets, findNewSet, newSetAnnotations, revisionOf } from "./revisions.ts";
import { rollingStep } from "./rolling.ts";
import {
  allSets,
  draftOf,
  isRolling,
  limitsOf,
  newSetReplicas,
  type Rollout,
  type SetDraft,
  totalReplicas,
  withReplicaAnnotations,
} from "./rollout.ts";
import { isScalingEvent, scale } from "./scaling.ts";

export interface ObservedDeployment {
  readonly deployment: Deployment;
  /** Those that it controls. */
  readonly sets: readonly ReplicaSet[];
  /** Those of its sets; only Recreate looks at them. */
  readonly pods: readonly Pod[];
  readonly nowMs: number;
}

export type DeploymentAction =
  | { readonly do: "create-set"; readonly set: Draft<ReplicaSet> }
  | { readonly do: "update-set"; readonly set: ReplicaSet; readonly previousReplicas: number }
  | { readonly do: "delete-set"; readonly set: ReplicaSet }
  /** With the revision that the Deployment says it is at. */
  | { readonly do: "update-status"; readonly status: DeploymentStatus; readonly revision: string | undefined }
  /** Look again then: the deadline will have passed. */
  | { readonly do: "look-again"; readonly afterMs: number };

/** Decides; never acts. Same input, same actions. */
export function plan(observed: ObservedDeployment): readonly DeploymentAction[] {
  const { deployment, nowMs } = observed;
  const observedRollout = rolloutOf(observed);
  const isGoing = deployment.metadata.deletionTimestamp !== undefined;
  const conditions = isGoing ? (deployment.status?.conditions ?? []) : pausedConditions(deployment, nowMs);
  if (isGoing || deployment.spec.paused === true || isScalingEvent(observedRollout)) {
    return standStill(observedRollout, conditions, nowMs);
  }
  const rollout = isRolling(deployment) ? rollOn(observedRollout) : recreateOn(observedRollout, observed.pods);
  const progressing = withNewSetCondition(rollout, conditions, nowMs);
  const status = rolloutStatus(rollout, progressing, nowMs);
  const lookAgainMs = deadlineCheckMs(deployment, status, nowMs);
  return [
    ...setActions(rollout),
    ...(isComplete(deployment, deployment.status) ? cleanUp(rollout) : []),
    ...deploymentActions(rollout, status),
    ...(lookAgainMs === undefined ? [] : [{ do: "look-again" as const, afterMs: lookAgainMs }]),
  ];
}

/** Sizes follow a paused or just scaled Deployment; the rollout does not go on. */
function standStill(rollout: Rollout, conditions: Conditions, nowMs: number): readonly DeploymentAction[] {
  const { deployment } = rollout;
  if (deployment.metadata.deletionTimestamp === undefined) scale(rollout);
  const status = baseStatus(rollout, withNewSetCondition(rollout, conditions, nowMs), nowMs);
  const expired = deployment.spec.paused === true ? cleanUp(rollout) : [];
  return [...setActions(rollout), ...expired, ...deploymentActions(rollout, status)];
}

function rollOn(rollout: Rollout): Rollout {
  const whole = withNewSet(rollout);
  rollingStep(whole);
  return whole;
}

function recreateOn(rollout: Rollout, pods: readonly Pod[]): Rollout {
  if (scaleDownAll(rollout)) return rollout;
  const byOwner = pods.map((pod) => [controllerOf(pod)?.uid ?? "", pod] as const);
  if (areOldPodsRunning(rollout, byOwner)) return rollout;
  const whole = withNewSet(rollout);
  rollingStep(whole);
  return whole;
}

function rolloutOf({ deployment, sets }: ObservedDeployment): Rollout {
  const newSet = findNewSet(deployment, sets);
  const oldSets = sets
    .filter((set) => set !== newSet)
    .toSorted(byCreation)
    .map(draftOf);
  const rollout = { deployment, ...limitsOf(deployment), oldSets };
  if (newSet === undefined) return { ...rollout, newSet };
  const draft = draftOf(newSet);
  draft.annotations = newSetAnnotations(deployment, draft.annotations, nextRevision(oldSets));
  draft.minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  return { ...rollout, newSet: draft };
}

const nextRevision = (oldSets: readonly SetDraft[]): number =>
  Math.max(0, ...oldSets.map((set) => revisionOf(set.annotations))) + 1;

function withNewSet(rollout: Rollout): Rollout {
  if (rollout.newSet !== undefined) return rollout;
  const { deployment, oldSets } = rollout;
  const hash = podTemplateHash(deployment.spec.template, deployment.status?.collisionCount);
  const annotations = newSetAnnotations(deployment, {}, nextRevision(oldSets));
  const newSet: SetDraft = {
    observed: undefined,
    name: `${deployment.metadata.name}-${hash}`,
    createdMs: Number.MAX_SAFE_INTEGER,
    statusReplicas: 0,
    availableReplicas: 0,
    replicas: newSetReplicas(rollout, 0, totalReplicas(oldSets)),
    annotations: withReplicaAnnotations(rollout, annotations),
    minReadySeconds: deployment.spec.minReadySeconds ?? 0,
  };
  return { ...rollout, newSet };
}

/** Source: getNewReplicaSet. */
function withNewSetCondition({ deployment, newSet }: Rollout, conditions: Conditions, nowMs: number): Conditions {
  if (newSet === undefined || progressDeadline(deployment) === undefined) return conditions;
  const next = (reason: string, message: string) =>
    withCondition(conditions, { type: "Progressing", status: "True", reason, message }, nowMs);
  if (newSet.observed === undefined) return next("NewReplicaSetCreated", `Created new replica set "${newSet.name}"`);
  if (conditionOf(conditions, "Progressing") !== undefined) return conditions;
  return next("FoundNewReplicaSet", `Found new replica set "${newSet.name}"`);
}

function setActions(rollout: Rollout): readonly DeploymentAction[] {
  const actions: DeploymentAction[] = [];
  for (const draft of allSets(rollout)) {
    const { observed, replicas, annotations, minReadySeconds } = draft;
    if (observed === undefined) {
      actions.push({ do: "create-set", set: newReplicaSet(rollout, draft) });
      continue;
    }
    const before = draftOf(observed);
    const isSame = before.replicas === replicas && before.minReadySeconds === minReadySeconds;
    if (isSame && semanticEqual(before.annotations, annotations)) continue;
    const set = {
      ...observed,
      metadata: { ...observed.metadata, annotations },
      spec: { ...observed.spec, replicas, minReadySeconds },
    };
    actions.push({ do: "update-set", set, previousReplicas: before.replicas });
  }
  return actions;
}

function newReplicaSet({ deployment }: Rollout, draft: SetDraft): Draft<ReplicaSet> {
  const { spec, metadata } = deployment;
  const hash = draft.name.slice(metadata.name.length + 1);
  const labels = { ...spec.template.metadata?.labels, [TEMPLATE_HASH]: hash };
  return {
    apiVersion: `${replicaSet.group}/${replicaSet.version}`,
    kind: replicaSet.kind,
    metadata: {
      name: draft.name,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      labels,
      annotations: draft.annotations,
      ownerReferences: [ownerReferenceFor(deployment, deploymentKind)],
    },
    spec: {
      replicas: draft.replicas,
      ...(draft.minReadySeconds > 0 && { minReadySeconds: draft.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } as ObjectMeta },
    },
  };
}

function cleanUp({ deployment, oldSets }: Rollout): readonly DeploymentAction[] {
  const observed = oldSets.map((draft) => draft.observed).filter((set) => set !== undefined);
  return expiredSets(deployment, observed).map((set) => ({ do: "delete-set", set }));
}

/** The revision goes with the status, since any other write of an annotation would count as a new generation. */
function deploymentActions({ deployment, newSet }: Rollout, status: DeploymentStatus): readonly DeploymentAction[] {
  const present = deployment.metadata.annotations?.[REVISION];
  const revision = newSet?.annotations[REVISION] ?? present;
  if (revision === present && semanticEqual(deployment.status, status)) return [];
  return [{ do: "update-status", status, revision }];
}
