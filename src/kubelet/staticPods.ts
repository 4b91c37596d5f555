/**
 * Pods that run here whatever the API says. Each is shown in the API as a mirror pod, which carries its status. Source:
 * kubelet pod/mirror_client.go, config/common.go.
 *
 * With `restartsDeleted` who deletes a mirror has the pod restarted: it ends and begins anew, as another one, as if its file
 * had been replaced. Without, as upstream, the mirror is made again and the pod runs on.
 */
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import type { Env } from "../lib/env.ts";
import { isApiError } from "../machinery/errors.ts";
import { timestamp } from "../machinery/object.ts";
import { fnv32a } from "./podLifecycle/containerHash.ts";
import type { PodWorkers } from "./podWorkers.ts";

export const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
const HASH_ANNOTATION = "kubernetes.io/config.hash";
const SOURCE_ANNOTATION = "kubernetes.io/config.source";
const SEEN_ANNOTATION = "kubernetes.io/config.seen";
/** After a mirror pod could not be made. */
const RETRY_MS = 1000;

/**
 * The mirror of a pod that restarts is made after this. kubectl looks at what it deletes and then watches: a new pod of
 * the same name in between it would take for the old one, and wait for its end.
 */
const MIRROR_AGAIN_MS = 500;

export const isMirrorPod = ({ metadata }: Pod): boolean => metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;

/** 32 hexadecimal digits, as upstream's: the same for the same pod on the same node, until it is restarted. */
function hashOf(pod: Pod, nodeName: string, restarts: number): string {
  const text = `${nodeName}${restarts === 0 ? "" : restarts}${JSON.stringify(pod)}`;
  return Array.from({ length: 4 }, (_, index) => fnv32a(`${index}${text}`).padStart(8, "0")).join("");
}

/** Named after the node, with the annotations that tell where it came from. Source: config/common.go applyDefaults. */
export function staticPod(pod: Pod, nodeName: string, nowMs: number, restarts = 0): Pod {
  const hash = hashOf(pod, nodeName, restarts);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata.name}-${nodeName}`,
      namespace: pod.metadata.namespace ?? "default",
      uid: hash,
      creationTimestamp: timestamp(nowMs),
      annotations: {
        ...pod.metadata.annotations,
        [HASH_ANNOTATION]: hash,
        [SEEN_ANNOTATION]: new Date(nowMs).toISOString(),
        [SOURCE_ANNOTATION]: "file",
      },
    },
    spec: {
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      ...pod.spec,
      nodeName,
      tolerations: [{ operator: "Exists", effect: "NoExecute" }, ...(pod.spec.tolerations ?? [])],
    },
    status: { phase: "Pending" },
  };
}

interface StaticPodsOptions {
  readonly env: Env;
  readonly client: Client;
  readonly nodeName: string;
  readonly workers: PodWorkers;
  readonly pods: readonly Pod[];
  readonly node: () => Node | undefined;
  readonly restartsDeleted: boolean;
}

export interface StaticPods {
  start(): void;
  mirrorSeen(pod: Pod): void;
  mirrorGone(pod: Pod): void;
  /** Nothing is left of a pod's worker. */
  finished(uid: string): void;
}

export function createStaticPods(options: StaticPodsOptions): StaticPods {
  const { env, client, nodeName, workers, pods, node, restartsDeleted } = options;
  const fullName = ({ metadata }: Pod) => `${metadata.namespace}/${metadata.name}`;
  const own = new Map(
    pods.map((source) => {
      const pod = staticPod(source, nodeName, env.clock.now());
      return [fullName(pod), { source, pod, restarts: 0 }];
    }),
  );
  /** Pods that begin when another one of their name has ended, by that one's uid. */
  const waiting = new Map<string, Pod>();

  const createMirror = async (pod: Pod): Promise<void> => {
    const { name, namespace, labels, annotations, uid } = pod.metadata;
    const owner = node();
    try {
      const mirror = await client.create<Pod>(podKind, {
        metadata: {
          name,
          ...(namespace !== undefined && { namespace }),
          ...(labels !== undefined && { labels }),
          annotations: { ...annotations, [MIRROR_ANNOTATION]: uid },
          ...(owner !== undefined && {
            ownerReferences: [
              { apiVersion: "v1", kind: "Node", name: nodeName, uid: owner.metadata.uid, controller: true },
            ],
          }),
        },
        spec: pod.spec,
      });
      workers.setMirror(uid, mirror);
    } catch (error) {
      if (isApiError(error, "AlreadyExists")) return;
      env.log.warn("a mirror pod could not be made", { pod: fullName(pod), error });
      env.clock.setTimer(RETRY_MS, () => void createMirror(pod));
    }
  };

  const remove = async (mirror: Pod): Promise<void> => {
    const { name, namespace = "", uid } = mirror.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    await client.delete(podKind, { name, namespace }, options).catch((error: unknown) => {
      // Conflict: another one is in its place already.
      if (isApiError(error, "NotFound") || isApiError(error, "Conflict")) return;
      env.log.warn("a mirror pod could not be deleted", { pod: fullName(mirror), error });
      env.clock.setTimer(RETRY_MS, () => void remove(mirror));
    });
  };

  const restart = (name: string): void => {
    const entry = own.get(name);
    if (entry === undefined) return;
    const { uid } = entry.pod.metadata;
    entry.restarts += 1;
    entry.pod = staticPod(entry.source, nodeName, env.clock.now(), entry.restarts);
    waiting.set(uid, entry.pod);
    workers.gone(uid);
  };

  const isOf = (mirror: Pod, pod: Pod) => mirror.metadata.annotations?.[MIRROR_ANNOTATION] === pod.metadata.uid;

  return {
    start() {
      for (const { pod } of own.values()) {
        workers.set(pod, true);
        void createMirror(pod);
      }
    },
    mirrorSeen(mirror) {
      const pod = own.get(fullName(mirror))?.pod;
      const isCurrent = pod !== undefined && isOf(mirror, pod);
      if (isCurrent && mirror.metadata.deletionTimestamp === undefined) workers.setMirror(pod.metadata.uid, mirror);
      else void remove(mirror);
    },
    mirrorGone(mirror) {
      const pod = own.get(fullName(mirror))?.pod;
      if (pod === undefined) return;
      // Not before it is gone: who deleted it must hear of that even if it is the API server that restarts.
      if (isOf(mirror, pod) && restartsDeleted) {
        restart(fullName(mirror));
        return;
      }
      // One that waits makes its mirror when it begins.
      if ([...waiting.values()].includes(pod)) return;
      if (isOf(mirror, pod)) workers.setMirror(pod.metadata.uid, undefined);
      void createMirror(pod);
    },
    finished(uid) {
      const next = waiting.get(uid);
      waiting.delete(uid);
      if (next === undefined) return;
      workers.set(next, true);
      env.clock.setTimer(MIRROR_AGAIN_MS, () => void createMirror(next));
    },
  };
}
