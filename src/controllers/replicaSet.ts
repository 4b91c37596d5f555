/** Keeps as many pods of a template as a ReplicaSet asks for. Source: pkg/controller/replicaset. */
import type { ReplicaSet } from "../api/generated/apps-v1.ts";
import type { Pod } from "../api/generated/core-v1.ts";
import { pod as podKind, replicaSet as replicaSetKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { objectKey } from "../client/objectKey.ts";
import { createRecorder, type Recorder } from "../client/recorder.ts";
import { semanticEqual } from "../machinery/deepEqual.ts";
import { controllerOf, ownerReferenceFor } from "../machinery/ownerReferences.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { claim, ownersOf, settleClaims } from "./ownership.ts";
import { createPod, deletePod, isNamespaceTerminating, messageOf, podFromTemplate } from "./pods/podControl.ts";
import { isActive, nextAvailabilityMs } from "./pods/podReadiness.ts";
import { slowStart } from "./pods/slowStart.ts";
import { plan } from "./replicaSet/replicaSetPlan.ts";
import { type ReplicaFailure, replicaSetStatus } from "./replicaSet/replicaSetStatus.ts";

/** Source: kube-controller-manager, --concurrent-replicaset-syncs. */
const WORKERS = 5;

export function startReplicaSetController(context: ControllerContext): RunningController {
  const { env, client, informers } = context;
  const recorder = createRecorder({ env, client, component: "replicaset-controller" });
  const sets = informers.of<ReplicaSet>(replicaSetKind);
  const keysOfPod = (pod: Pod) => ownersOf(sets, pod).map(objectKey);
  return runController({
    ...context,
    name: "replicaset-controller",
    recorder,
    workers: WORKERS,
    watches: [watching<ReplicaSet>(replicaSetKind, (set) => [objectKey(set)]), watching<Pod>(podKind, keysOfPod)],
    reconcile: (key, tracked) => reconcile({ ...context, client: tracked, recorder }, key),
  });
}

interface Shell extends ControllerContext {
  readonly recorder: Recorder;
}

async function reconcile(shell: Shell, key: string) {
  const { env, client, informers } = shell;
  const set = informers.of<ReplicaSet>(replicaSetKind).get(key);
  if (set === undefined) return;
  const candidates = informers.of<Pod>(podKind).claimableBy(set);
  const claims = claim(set, set.spec.selector, candidates);
  const pods = await settleClaims(client, { kind: replicaSetKind, owner: set }, podKind, claims);
  const nowMs = env.clock.now();
  const actions = plan({ set, pods, relatedPods: () => relatedPodsOf(shell, set), nowMs });
  const { failure, error } = await act(shell, set, actions);
  await writeStatus(client, set, replicaSetStatus({ set, pods, failure, nowMs }));
  if (error !== undefined) throw error;
  const requeueAfterMs = nextAvailabilityMs(pods.filter(isActive), set.spec.minReadySeconds ?? 0, nowMs);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/** Of every set with the same controlling owner. Source: getIndirectlyRelatedPods. */
function relatedPodsOf({ informers }: Shell, set: ReplicaSet): readonly Pod[] {
  const owner = controllerOf(set);
  const siblings = owner === undefined ? [set] : informers.of<ReplicaSet>(replicaSetKind).controlledBy(owner.uid);
  return siblings.flatMap((sibling) => informers.of<Pod>(podKind).controlledBy(sibling.metadata.uid));
}

async function act(
  { client, recorder }: Shell,
  set: ReplicaSet,
  actions: ReturnType<typeof plan>,
): Promise<{ readonly failure?: ReplicaFailure; readonly error?: unknown }> {
  const [first] = actions;
  if (first === undefined) return {};
  if (first.do === "create-pods") {
    const owner = { object: set, reference: ownerReferenceFor(set, replicaSetKind) };
    const draft = podFromTemplate(set.spec.template, owner);
    const { failure } = await slowStart(first.count, async () => {
      await createPod(client, recorder, set, draft);
    });
    if (failure === undefined || isNamespaceTerminating(failure)) return {};
    return { failure: { reason: "FailedCreate", message: messageOf(failure) }, error: failure };
  }
  const deletions = actions.map((action) =>
    action.do === "delete-pod" ? deletePod(client, recorder, set, action.pod) : undefined,
  );
  const failed = (await Promise.allSettled(deletions)).find((result) => result.status === "rejected");
  if (failed === undefined) return {};
  return { failure: { reason: "FailedDelete", message: messageOf(failed.reason) }, error: failed.reason };
}

async function writeStatus(client: Client, set: ReplicaSet, status: ReplicaSet["status"]): Promise<void> {
  if (semanticEqual(set.status, status)) return;
  await client.update<ReplicaSet>(replicaSetKind, { ...set, status }, { subresource: "status" });
}
