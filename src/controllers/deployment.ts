/** Rolls a template out through ReplicaSets. Source: pkg/controller/deployment. */
import type { Deployment, ReplicaSet } from "../api/generated/apps-v1.ts";
import type { Pod } from "../api/generated/core-v1.ts";
import { deployment as deploymentKind, pod as podKind, replicaSet as replicaSetKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, reading, runController, watching } from "../client/controller.ts";
import { objectKey } from "../client/objectKey.ts";
import { createRecorder, type Recorder } from "../client/recorder.ts";
import { isApiError } from "../machinery/errors.ts";
import { isEverything, labelSelectorOf } from "../machinery/labelSelector.ts";
import type { Draft } from "../machinery/object.ts";
import { controllerOf, isControlledBy } from "../machinery/ownerReferences.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { REVISION } from "./deployment/deploymentNames.ts";
import { type DeploymentAction, plan } from "./deployment/deploymentPlan.ts";
import { withCondition } from "./deployment/deploymentStatus.ts";
import { templatesEqual } from "./deployment/podTemplateHash.ts";
import { claim, ownersOf, settleClaims, targetOf } from "./ownership.ts";
import { isNamespaceTerminating, messageOf } from "./pods/podControl.ts";

/** Source: kube-controller-manager, --concurrent-deployment-syncs. */
const WORKERS = 5;

interface Shell extends ControllerContext {
  readonly recorder: Recorder;
}

export function startDeploymentController(context: ControllerContext): RunningController {
  const { env, client, informers } = context;
  const recorder = createRecorder({ env, client, component: "deployment-controller" });
  const deployments = informers.of<Deployment>(deploymentKind);
  const sets = informers.of<ReplicaSet>(replicaSetKind);
  /** Only who recreates waits for pods to be gone. */
  const ownersOfPod = (pod: Pod) => {
    const set = sets.find(pod.metadata.namespace, controllerOf(pod)?.name ?? "");
    if (set === undefined || !isControlledBy(pod, set)) return [];
    return ownersOf(deployments, set).filter(({ spec }) => spec.strategy?.type === "Recreate");
  };
  return runController({
    ...context,
    name: "deployment-controller",
    recorder,
    workers: WORKERS,
    watches: [
      watching<Deployment>(deploymentKind, (deployment) => [objectKey(deployment)]),
      watching<ReplicaSet>(replicaSetKind, (set) => ownersOf(deployments, set).map(objectKey)),
      watching<Pod>(podKind, (pod) => ownersOfPod(pod).map(objectKey)),
      reading<Pod>(podKind),
    ],
    reconcile: (key, tracked) => reconcile({ ...context, client: tracked, recorder }, key),
  });
}

async function reconcile(shell: Shell, key: string) {
  const { env, client, informers, recorder } = shell;
  const deployment = informers.of<Deployment>(deploymentKind).get(key);
  if (deployment === undefined) return;
  if (isEverything(labelSelectorOf(deployment.spec.selector))) {
    const message = "This deployment is selecting all pods. A non-empty selector is required.";
    recorder.event(deployment, "Warning", "SelectingAll", message);
    return;
  }
  const candidates = informers.of<ReplicaSet>(replicaSetKind).claimableBy(deployment);
  const claims = claim(deployment, deployment.spec.selector, candidates);
  const sets = await settleClaims(client, { kind: deploymentKind, owner: deployment }, replicaSetKind, claims);
  const pods = sets.flatMap((set) => informers.of<Pod>(podKind).controlledBy(set.metadata.uid));
  return act(shell, deployment, plan({ deployment, sets, pods, nowMs: env.clock.now() }));
}

async function act(shell: Shell, deployment: Deployment, actions: readonly DeploymentAction[]) {
  const { client } = shell;
  let current = deployment;
  for (const action of actions) {
    switch (action.do) {
      case "create-set":
        await createSet(shell, current, action.set);
        break;
      case "update-set": {
        const { set, previousReplicas } = action;
        await client.update<ReplicaSet>(replicaSetKind, set);
        sayScaled(shell, current, set.metadata.name, previousReplicas, set.spec.replicas ?? 1);
        break;
      }
      case "delete-set":
        await client.delete(replicaSetKind, targetOf(action.set));
        break;
      case "update-status":
        current = await writeStatus(client, withRevision(current, action.revision), action.status);
        break;
      case "look-again":
        return { requeueAfterMs: action.afterMs };
      default:
        action satisfies never;
    }
  }
  return undefined;
}

function sayScaled({ recorder }: Shell, deployment: Deployment, name: string, from: number, to: number): void {
  if (from === to) return;
  const direction = to > from ? "up" : "down";
  const message = `Scaled ${direction} replica set ${name} from ${from} to ${to}`;
  recorder.event(deployment, "Normal", "ScalingReplicaSet", message);
}

function withRevision(deployment: Deployment, revision: string | undefined): Deployment {
  if (revision === undefined) return deployment;
  const annotations = { ...deployment.metadata.annotations, [REVISION]: revision };
  return { ...deployment, metadata: { ...deployment.metadata, annotations } };
}

const writeStatus = (client: Client, deployment: Deployment, status: Deployment["status"]): Promise<Deployment> =>
  client.update<Deployment>(deploymentKind, { ...deployment, status }, { subresource: "status" });

async function createSet(shell: Shell, deployment: Deployment, draft: Draft<ReplicaSet>): Promise<void> {
  const { client, recorder, env } = shell;
  const name = draft.metadata.name ?? "";
  try {
    await client.create<ReplicaSet>(replicaSetKind, draft);
    sayScaled(shell, deployment, name, 0, draft.spec?.replicas ?? 0);
  } catch (error) {
    if (isApiError(error, "AlreadyExists")) return afterCollision(shell, deployment, draft, error);
    if (!isNamespaceTerminating(error)) {
      const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
      const failed = { type: "Progressing", status: "False", reason: "ReplicaSetCreateError", message };
      const conditions = withCondition(deployment.status?.conditions ?? [], failed, env.clock.now());
      await writeStatus(client, deployment, { ...deployment.status, conditions });
      recorder.event(deployment, "Warning", "ReplicaSetCreateError", message);
    }
    throw error;
  }
}

/** Ours already: the cache was behind. Another's: the next name has another hash. */
async function afterCollision({ client }: Shell, deployment: Deployment, draft: Draft<ReplicaSet>, error: unknown) {
  const { name = "", namespace = "" } = draft.metadata;
  const present = await client.get<ReplicaSet>(replicaSetKind, { namespace, name });
  const isOurs = isControlledBy(present, deployment) && templatesEqual(present.spec.template, draft.spec?.template);
  if (!isOurs) {
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await writeStatus(client, deployment, { ...deployment.status, collisionCount });
  }
  throw error;
}
