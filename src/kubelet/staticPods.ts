/**
 * Pods that run here whatever the API says. Each is shown in the API as a mirror pod, which carries its status; a mirror
 * that is deleted is made again. Source: kubelet pod/mirror_client.go, config/common.go.
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

export const isMirrorPod = ({ metadata }: Pod): boolean => metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;

/** 32 hexadecimal digits, as upstream's: the same for the same pod on the same node. */
const hashOf = (pod: Pod, nodeName: string): string =>
  Array.from({ length: 4 }, (_, index) => fnv32a(`${index}${nodeName}${JSON.stringify(pod)}`).padStart(8, "0")).join(
    "",
  );

/** Named after the node, with the annotations that tell where it came from. Source: config/common.go applyDefaults. */
export function staticPod(pod: Pod, nodeName: string, nowMs: number): Pod {
  const hash = hashOf(pod, nodeName);
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
}

export interface StaticPods {
  start(): void;
  mirrorSeen(pod: Pod): void;
  mirrorGone(pod: Pod): void;
}

export function createStaticPods({ env, client, nodeName, workers, pods, node }: StaticPodsOptions): StaticPods {
  const own = new Map(
    pods.map((pod) => {
      const made = staticPod(pod, nodeName, env.clock.now());
      return [`${made.metadata.namespace}/${made.metadata.name}`, made];
    }),
  );
  const fullName = ({ metadata }: Pod) => `${metadata.namespace}/${metadata.name}`;

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
      if (!isApiError(error, "NotFound"))
        env.log.warn("a mirror pod could not be deleted", { pod: fullName(mirror), error });
    });
  };

  return {
    start() {
      for (const pod of own.values()) {
        workers.set(pod, true);
        void createMirror(pod);
      }
    },
    mirrorSeen(mirror) {
      const pod = own.get(fullName(mirror));
      const isCurrent = pod !== undefined && mirror.metadata.annotations?.[MIRROR_ANNOTATION] === pod.metadata.uid;
      if (isCurrent && mirror.metadata.deletionTimestamp === undefined) workers.setMirror(pod.metadata.uid, mirror);
      else void remove(mirror);
    },
    mirrorGone(mirror) {
      const pod = own.get(fullName(mirror));
      if (pod === undefined) return;
      workers.setMirror(pod.metadata.uid, undefined);
      void createMirror(pod);
    },
  };
}
