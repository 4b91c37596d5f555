/**
 * The life of a pod on its node. It goes one way only: a pod that has begun to terminate never runs again.
 * Source: kubelet pod_workers.go, PodWorkerState.
 *
 *   Syncing → Terminating (its containers are being ended) → Terminated (they have) → Finished (nothing is left)
 */
export type PodWorkerPhase = "Syncing" | "Terminating" | "Terminated" | "Finished";

export interface PodObserved {
  /** Deletion has been asked for, or it is gone from the API, or from the list of static pods. */
  readonly isDeleted: boolean;
  /** The API does not have it (any more). */
  readonly isGone: boolean;
  /** It has succeeded or failed, was rejected or evicted, or ran out of time. */
  readonly isOver: boolean;
  /** No container runs, the sandbox is stopped. */
  readonly isKilled: boolean;
  /** Containers, sandboxes, volumes and folders are removed. */
  readonly isRemoved: boolean;
}

export function nextPodWorkerPhase(phase: PodWorkerPhase, observed: PodObserved): PodWorkerPhase {
  switch (phase) {
    case "Syncing":
      return observed.isDeleted || observed.isGone || observed.isOver ? "Terminating" : phase;
    case "Terminating":
      return observed.isKilled ? "Terminated" : phase;
    case "Terminated":
      return observed.isGone && observed.isRemoved ? "Finished" : phase;
    case "Finished":
      return phase;
    default:
      return phase satisfies never;
  }
}
