/** Empties namespaces that are to be deleted, then lets them go. Source: pkg/controller/namespace. */
import type { Namespace, Pod } from "../api/generated/core-v1.ts";
import { kinds as builtInKinds, namespace as namespaceKind } from "../api/index.ts";
import { type Client, resourcePath } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import type { AnyKind, KindDefinition } from "../machinery/defineKind.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { KUBERNETES_FINALIZER, type NamespaceAction, plan, type Remains } from "./namespace/namespacePlan.ts";
import { messageOf } from "./pods/podControl.ts";

/** Source: kube-controller-manager, --concurrent-namespace-syncs. */
const WORKERS = 10;
/** After something in a namespace that is being deleted has gone, a look whether it is empty now. */
const LOOK_AGAIN_MS = 200;

export interface NamespaceControllerOptions extends ControllerContext {
  /** Every kind that is served, asked anew each time. Absent: the built-in ones. */
  readonly servedKinds?: () => readonly AnyKind[];
}

export function startNamespaceController(options: NamespaceControllerOptions): RunningController {
  const { env, informers, servedKinds = () => builtInKinds } = options;
  const reconcile = async (name: string, client: Client) => {
    const namespace = informers.of<Namespace>(namespaceKind).get(name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    if (namespace.spec?.finalizers?.includes(KUBERNETES_FINALIZER) !== true) return;
    const { remains, failures } = await empty(client, name, servedKinds());
    const actions = plan({ namespace, remains, failures, nowMs: env.clock.now() });
    const result = await act(client, namespace, actions);
    if (failures.length > 0) throw new Error(failures.join(", "));
    return result;
  };
  const controller = runController({
    ...options,
    name: "namespace-controller",
    workers: WORKERS,
    watches: [watching<Namespace>(namespaceKind, ({ metadata }) => [metadata.name])],
    reconcile,
  });
  const lookSoon = ({ metadata: { namespace = "" } }: KubeObject) => {
    const owner = informers.of<Namespace>(namespaceKind).get(namespace);
    if (owner?.metadata.deletionTimestamp !== undefined) controller.queue.addAfter(namespace, LOOK_AGAIN_MS);
  };
  // Upstream only looks again after half a grace period; what others watch anyway says it sooner.
  const removals = watchedKinds(servedKinds()).map((kind) =>
    informers.of<KubeObject>(kind as KindDefinition<KubeObject>).addHandler({ onDelete: lookSoon }),
  );
  return {
    ...controller,
    async stop() {
      for (const remove of removals) remove();
      await controller.stop();
    },
  };
}

/** Events are many, and gone at once. */
const watchedKinds = (kinds: readonly AnyKind[]): readonly AnyKind[] =>
  kinds.filter(({ scope, kind, storedAs, verbs }) => {
    const isObject = scope === "Namespaced" && storedAs === undefined && kind !== "Event";
    return isObject && verbs.includes("watch");
  });

/** Pods go before what they use: nothing is taken from under a running pod. Source: OrderedNamespaceDeletion. */
async function empty(client: Client, namespace: string, kinds: readonly AnyKind[]) {
  const emptied = kinds.filter(
    ({ scope, verbs, storedAs }) =>
      scope === "Namespaced" && storedAs === undefined && verbs.includes("delete") && verbs.includes("list"),
  );
  const isPod = (kind: AnyKind) => kind.group === "" && kind.plural === "pods";
  const pods = await emptyOf(client, namespace, emptied.filter(isPod));
  if (pods.remains.length > 0 || pods.failures.length > 0) return pods;
  return emptyOf(
    client,
    namespace,
    emptied.filter((kind) => !isPod(kind)),
  );
}

async function emptyOf(client: Client, namespace: string, kinds: readonly AnyKind[]) {
  const remains: Remains[] = [];
  const failures: string[] = [];
  for (const kind of kinds) {
    try {
      await deleteAll(client, namespace, kind);
      const { items } = await client.list<KubeObject>(kind, { namespace });
      if (items.length > 0) remains.push(remainsOf(kind, items));
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  return { remains, failures };
}

async function deleteAll(client: Client, namespace: string, kind: AnyKind): Promise<void> {
  if (kind.verbs.includes("deletecollection")) {
    const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background" };
    await client.raw({
      method: "DELETE",
      path: resourcePath(kind, { namespace }),
      headers: { "content-type": "application/json" },
      body,
    });
    return;
  }
  const { items } = await client.list<KubeObject>(kind, { namespace });
  for (const { metadata } of items) await client.delete(kind, { namespace, name: metadata.name });
}

function remainsOf(kind: AnyKind, items: readonly KubeObject[]): Remains {
  const finalizers: Record<string, number> = {};
  for (const { metadata } of items) {
    for (const name of metadata.finalizers ?? []) finalizers[name] = (finalizers[name] ?? 0) + 1;
  }
  const isGraceful = kind.group === "" && kind.plural === "pods";
  const grace = isGraceful ? items.map((item) => (item as Pod).spec?.terminationGracePeriodSeconds ?? 0) : [0];
  const { group, plural: resource } = kind;
  return { group, resource, count: items.length, finalizers, graceSeconds: Math.max(...grace) };
}

async function act(client: Client, namespace: Namespace, actions: readonly NamespaceAction[]) {
  let current = namespace;
  for (const action of actions) {
    switch (action.do) {
      case "update-status":
        current = await client.update<Namespace>(
          namespaceKind,
          { ...current, status: action.status },
          { subresource: "status" },
        );
        break;
      case "finalize": {
        const finalizers = current.spec?.finalizers?.filter((name) => name !== KUBERNETES_FINALIZER) ?? [];
        const finalized = { ...current, spec: { ...current.spec, finalizers } };
        await client.update<Namespace>(namespaceKind, finalized, { subresource: "finalize" });
        break;
      }
      case "look-again":
        return { requeueAfterMs: action.afterMs };
      default:
        action satisfies never;
    }
  }
  return undefined;
}
