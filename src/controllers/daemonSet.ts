/** Keeps one pod of a template on each node that it fits. Source: pkg/controller/daemon. */
import type { ControllerRevision, DaemonSet } from "../api/generated/apps-v1.ts";
import type { Node, Pod } from "../api/generated/core-v1.ts";
import {
  daemonSet as daemonSetKind,
  node as nodeKind,
  pod as podKind,
  controllerRevision as revisionKind,
} from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { objectKey } from "../client/objectKey.ts";
import { createRecorder, type Recorder } from "../client/recorder.ts";
import { semanticEqual } from "../machinery/deepEqual.ts";
import { isApiError } from "../machinery/errors.ts";
import { isEverything, labelSelectorOf } from "../machinery/labelSelector.ts";
import type { Draft, KubeObject } from "../machinery/object.ts";
import { isControlledBy, ownerReferenceFor } from "../machinery/ownerReferences.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { type DaemonSetPlan, plan } from "./daemonSet/daemonSetPlan.ts";
import { FailureBackoff } from "./daemonSet/failureBackoff.ts";
import { affinityTo, daemonTolerations, targetNodeOf } from "./daemonSet/nodeFit.ts";
import { REVISION_HASH, type RevisionPlan } from "./daemonSet/revisions.ts";
import { claim, ownersOf, settleClaims, targetOf } from "./ownership.ts";
import { createPod, deletePod, isNamespaceTerminating, podFromTemplate } from "./pods/podControl.ts";
import { slowStart } from "./pods/slowStart.ts";

/** Source: kube-controller-manager, --concurrent-daemonset-syncs. */
const WORKERS = 2;
/** Source: apps/v1, DeprecatedTemplateGeneration and extensions DaemonSetTemplateGenerationKey. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";
const POD_TEMPLATE_GENERATION = "pod-template-generation";

interface Shell extends ControllerContext {
  readonly recorder: Recorder;
  readonly failures: FailureBackoff;
}

export function startDaemonSetController(context: ControllerContext): RunningController {
  const { env, client, informers } = context;
  const recorder = createRecorder({ env, client, component: "daemonset-controller" });
  const failures = new FailureBackoff(env.clock);
  const sets = informers.of<DaemonSet>(daemonSetKind);
  const keysOf = (object: KubeObject) => ownersOf(sets, object).map(objectKey);
  return runController({
    ...context,
    name: "daemonset-controller",
    recorder,
    workers: WORKERS,
    watches: [
      watching<DaemonSet>(daemonSetKind, (set) => [objectKey(set)]),
      watching<Pod>(podKind, keysOf),
      watching<ControllerRevision>(revisionKind, keysOf),
      watching<Node>(nodeKind, () => sets.list().map(objectKey), isPlacementChange),
    ],
    reconcile: (key, tracked) => reconcile({ ...context, client: tracked, recorder, failures }, key),
  });
}

const isPlacementChange = (before: Node, after: Node): boolean =>
  !semanticEqual(before.metadata.labels, after.metadata.labels) || !semanticEqual(before.spec, after.spec);

async function reconcile(shell: Shell, key: string) {
  const { env, client, informers, recorder, failures } = shell;
  const set = informers.of<DaemonSet>(daemonSetKind).get(key);
  if (set === undefined) return;
  if (isEverything(labelSelectorOf(set.spec.selector))) {
    const message = "This daemon set is selecting all pods. A non-empty selector is required.";
    recorder.event(set, "Warning", "SelectingAll", message);
    return;
  }
  const owner = { kind: daemonSetKind, owner: set };
  const podClaims = claim(set, set.spec.selector, informers.of<Pod>(podKind).claimableBy(set));
  const pods = await settleClaims(client, owner, podKind, podClaims);
  const revisionClaims = claim(set, set.spec.selector, informers.of<ControllerRevision>(revisionKind).claimableBy(set));
  const revisions = await settleClaims(client, owner, revisionKind, revisionClaims);
  const nodes = informers.of<Node>(nodeKind).list();
  const retryInMs = (node: string) => failures.remainingMs(`${set.metadata.uid}/${node}`);
  const decided = plan({ set, nodes, pods, revisions, nowMs: env.clock.now(), retryInMs });
  await writeRevisions(client, set, decided.revisions);
  const failure = await changePods(shell, set, decided);
  if (!semanticEqual(set.status, decided.status)) {
    await client.update<DaemonSet>(daemonSetKind, { ...set, status: decided.status }, { subresource: "status" });
  }
  if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
  return decided.lookAgainMs === undefined ? undefined : { requeueAfterMs: decided.lookAgainMs };
}

async function writeRevisions(client: Client, set: DaemonSet, { create, update, remove }: RevisionPlan): Promise<void> {
  if (update !== undefined) await client.update<ControllerRevision>(revisionKind, update);
  for (const revision of remove) await client.delete(revisionKind, targetOf(revision));
  if (create === undefined) return;
  try {
    await client.create<ControllerRevision>(revisionKind, create);
  } catch (error) {
    if (isApiError(error, "AlreadyExists")) await countCollision(client, set, create);
    throw error;
  }
}

/** Ours already: the cache was behind. Another's: the next name has another hash. */
async function countCollision(client: Client, set: DaemonSet, { metadata }: Draft<ControllerRevision>): Promise<void> {
  const { name = "", namespace = "" } = metadata;
  const present = await client.get<ControllerRevision>(revisionKind, { namespace, name });
  if (isControlledBy(present, set)) return;
  const status = { ...set.status, collisionCount: (set.status?.collisionCount ?? 0) + 1 };
  await client.update<DaemonSet>(daemonSetKind, { ...set, status }, { subresource: "status" });
}

/** @returns the first failure, after all that can be done is done. */
async function changePods(
  shell: Shell,
  set: DaemonSet,
  { create, delete: remove, revisions }: DaemonSetPlan,
): Promise<unknown> {
  const { client, recorder, failures } = shell;
  const made = await slowStart(create.length, async (index) => {
    await createPod(client, recorder, set, daemonPod(set, create[index] as string, revisions.hash));
  });
  const deletions = remove.map((pod) => {
    sayEnded(recorder, set, pod);
    if (pod.status?.phase === "Failed") failures.count(`${set.metadata.uid}/${targetNodeOf(pod)}`);
    return deletePod(client, recorder, set, pod);
  });
  const failed = (await Promise.allSettled(deletions)).find((result) => result.status === "rejected");
  return made.failure ?? failed?.reason;
}

function sayEnded(recorder: Recorder, set: DaemonSet, pod: Pod): void {
  const where = `${pod.metadata.namespace}/${pod.metadata.name} on node ${targetNodeOf(pod)}`;
  if (pod.status?.phase === "Failed") {
    recorder.event(set, "Warning", "FailedDaemonPod", `Found failed daemon pod ${where}, will try to kill it`);
  } else if (pod.status?.phase === "Succeeded") {
    recorder.event(set, "Normal", "SucceededDaemonPod", `Found succeeded daemon pod ${where}, will try to delete it`);
  }
}

/** Source: daemon/util, CreatePodTemplate. */
function daemonPod(set: DaemonSet, nodeName: string, hash: string): Draft<Pod> {
  const draft = podFromTemplate(set.spec.template, { object: set, reference: ownerReferenceFor(set, daemonSetKind) });
  const generation = set.metadata.annotations?.[TEMPLATE_GENERATION];
  const labels = {
    ...draft.metadata.labels,
    ...(generation !== undefined && { [POD_TEMPLATE_GENERATION]: generation }),
    [REVISION_HASH]: hash,
  };
  const { spec } = set.spec.template;
  const given = spec?.tolerations ?? [];
  const isGiven = (key: string | undefined, effect: string | undefined) =>
    given.some((each) => each.key === key && each.effect === effect);
  const tolerations = [...given, ...daemonTolerations(spec).filter(({ key, effect }) => !isGiven(key, effect))];
  return {
    ...draft,
    metadata: { ...draft.metadata, labels },
    spec: { containers: [], ...spec, affinity: affinityTo(nodeName, spec?.affinity), tolerations },
  };
}
