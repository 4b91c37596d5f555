/**
 * Deletes what has no owner left, and carries out foreground and orphaning deletions. It reads every kind but events
 * from the shared informers, whose objects are shared by reference. Source: pkg/controller/garbagecollector.
 *
 * An owner that the informers do not show is asked for at the API before anything is deleted: the informer of its kind
 * may be behind that of its dependents.
 */
import { kinds as builtInKinds } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, reading, runController } from "../client/controller.ts";
import { createRecorder, type Recorder } from "../client/recorder.ts";
import type { AnyKind, KindDefinition } from "../machinery/defineKind.ts";
import { isApiError } from "../machinery/errors.ts";
import { type KubeObject, type OwnerReference, parseApiVersion } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { type GarbageAction, isWaitingForDependents, type OwnerState, plan } from "./garbageCollector/garbagePlan.ts";
import { type GraphObject, OwnerGraph } from "./garbageCollector/ownerGraph.ts";
import { targetOf } from "./ownership.ts";

/** Source: kube-controller-manager, --concurrent-gc-syncs. */
const WORKERS = 20;

export interface GarbageCollectorOptions extends ControllerContext {
  /** Absent: the built-in ones. */
  readonly collectedKinds?: readonly AnyKind[];
}

interface Shell extends ControllerContext {
  readonly recorder: Recorder;
  readonly graph: OwnerGraph;
  readonly kinds: readonly AnyKind[];
  readonly visit: (uid: string) => void;
}

export function startGarbageCollector(options: GarbageCollectorOptions): RunningController {
  const { env, client, collectedKinds = builtInKinds } = options;
  // Events own nothing and belong to nobody, and there are many. Source: DefaultIgnoredResources.
  const kinds = collectedKinds.filter((kind) => kind.kind !== "Event" && kind.storedAs === undefined);
  const graph = new OwnerGraph();
  const recorder = createRecorder({ env, client, component: "garbage-collector-controller" });
  const controller: RunningController = runController({
    ...options,
    name: "garbage-collector-controller",
    recorder,
    workers: WORKERS,
    watches: kinds.map((kind) => reading(kind)),
    reconcile: (uid, tracked) =>
      reconcile(
        { ...options, client: tracked, recorder, graph, kinds, visit: (key) => controller.queue.add(key) },
        uid,
      ),
  });
  const removals = kinds.map((kind) => feed(kind, options, graph, (uid) => controller.queue.add(uid)));
  return {
    ...controller,
    async stop() {
      for (const remove of removals) remove();
      await controller.stop();
    },
  };
}

/** Keeps the graph, and says which objects have to be looked at. */
function feed(
  kind: AnyKind,
  { informers }: ControllerContext,
  graph: OwnerGraph,
  visit: (uid: string) => void,
): () => void {
  const look = (object: KubeObject) => {
    graph.set(kind, object);
    const { metadata } = object;
    if (metadata.deletionTimestamp !== undefined && (metadata.finalizers?.length ?? 0) > 0) visit(metadata.uid);
    const isOwnerInDoubt = ({ uid }: OwnerReference) => {
      const owner = graph.get(uid);
      return (
        owner === undefined ||
        isWaitingForDependents(owner.object) ||
        owner.object.metadata.namespace !== metadata.namespace
      );
    };
    if (metadata.ownerReferences?.some(isOwnerInDoubt) === true) visit(metadata.uid);
  };
  const visitOwners = ({ metadata }: KubeObject) => {
    for (const { uid } of metadata.ownerReferences ?? []) {
      const owner = graph.get(uid);
      if (owner !== undefined && isWaitingForDependents(owner.object)) visit(uid);
    }
  };
  return informers.of<KubeObject>(kind as KindDefinition<KubeObject>).addHandler({
    onAdd: look,
    onUpdate(before, after) {
      if (before.metadata.uid !== after.metadata.uid) graph.delete(kind, before.metadata.uid);
      look(after);
      visitOwners(before);
    },
    onDelete(object) {
      graph.delete(kind, object.metadata.uid);
      for (const dependent of graph.dependentsOf(object.metadata.uid)) visit(dependent.object.metadata.uid);
      visitOwners(object);
    },
  });
}

async function reconcile(shell: Shell, uid: string): Promise<void> {
  const { graph } = shell;
  const item = graph.get(uid);
  if (item === undefined) return;
  const { object } = item;
  const isGoing = object.metadata.deletionTimestamp !== undefined;
  const owners: { reference: OwnerReference; state: OwnerState }[] = [];
  for (const reference of isGoing ? [] : (object.metadata.ownerReferences ?? [])) {
    owners.push({ reference, state: await stateOf(shell, item, reference) });
  }
  const dependents = graph.dependentsOf(uid);
  const actions = plan({ object, owners, dependents: dependents.map((dependent) => dependent.object) });
  for (const action of actions) await act(shell, item, action);
}

async function stateOf(shell: Shell, { kind, object }: GraphObject, reference: OwnerReference): Promise<OwnerState> {
  const { client, graph, kinds, recorder } = shell;
  const { group, version } = parseApiVersion(reference.apiVersion);
  const ownerKind =
    kinds.find(
      (candidate) => candidate.group === group && candidate.kind === reference.kind && candidate.version === version,
    ) ?? kinds.find((candidate) => candidate.group === group && candidate.kind === reference.kind);
  // Whoever serves that kind may be away for a while; nothing is deleted on a guess.
  if (ownerKind === undefined) throw new Error(`no kind ${reference.kind} is served in ${reference.apiVersion}`);
  const known = graph.get(reference.uid);
  // Nothing of a namespace can own what is in none. Nobody deletes the dependent for that.
  if (kind.scope === "Cluster" && ownerKind.scope === "Namespaced") {
    if (known !== undefined) sayInvalidNamespace(recorder, object, reference);
    return "solid";
  }
  const namespace = ownerKind.scope === "Namespaced" ? object.metadata.namespace : undefined;
  const isWhereExpected = known?.object.metadata.namespace === namespace && known?.kind.kind === reference.kind;
  const owner =
    known !== undefined && isWhereExpected ? known.object : await find(client, ownerKind, reference, namespace);
  if (owner === undefined || owner.metadata.uid !== reference.uid) {
    if (known !== undefined && !isWhereExpected) sayInvalidNamespace(recorder, object, reference);
    return "absent";
  }
  return isWaitingForDependents(owner) ? "waiting" : "solid";
}

/** Source: graph_builder.go, reportInvalidNamespaceOwnerRef. */
function sayInvalidNamespace(recorder: Recorder, object: KubeObject, owner: OwnerReference): void {
  const { namespace = "" } = object.metadata;
  const who = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
  const message = `ownerRef ${who} does not exist in namespace "${namespace}"`;
  recorder.event(object, "Warning", "OwnerRefInvalidNamespace", message);
}

async function find(client: Client, kind: AnyKind, { name }: OwnerReference, namespace: string | undefined) {
  try {
    return await client.get<KubeObject>(kind, { name, ...(namespace !== undefined && { namespace }) });
  } catch (error) {
    if (isApiError(error, "NotFound")) return undefined;
    throw error;
  }
}

async function act(shell: Shell, item: GraphObject, action: GarbageAction): Promise<void> {
  const { client, graph, visit } = shell;
  const { object, kind } = item;
  const { uid, resourceVersion } = object.metadata;
  switch (action.do) {
    case "set-owners": {
      const subject = graph.get(action.object.metadata.uid);
      if (subject === undefined) return;
      const metadata = { resourceVersion: action.object.metadata.resourceVersion, uid: action.object.metadata.uid };
      const patch = { metadata: { ...metadata, ownerReferences: action.ownerReferences } };
      await ignoringGone(client.patch(subject.kind, targetOf(subject.object), "merge", patch));
      return;
    }
    case "remove-finalizer": {
      // Dependents that came while the owner was being orphaned are looked at as any other.
      const finalizers = object.metadata.finalizers?.filter((name) => name !== action.finalizer) ?? [];
      const patch = { metadata: { uid, resourceVersion, finalizers } };
      await ignoringGone(client.patch(kind, targetOf(object), "merge", patch));
      return;
    }
    case "delete": {
      const preconditions = { uid, ...(action.policy !== "Foreground" && { resourceVersion }) };
      await ignoringGone(client.delete(kind, targetOf(object), { preconditions, propagationPolicy: action.policy }));
      return;
    }
    case "visit":
      for (const dependent of action.uids) visit(dependent);
      return;
    default:
      action satisfies never;
  }
}

async function ignoringGone(writing: Promise<unknown>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
}
