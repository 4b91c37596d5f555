/**
 * Brings the status of each pod to the API: at once, one write per pod at a time, always the newest. And it deletes a
 * pod that is over, once its last status has been written. Source: kubelet status/status_manager.go.
 */
import type { Pod, PodStatus } from "../api/generated/core-v1.ts";
import { pod as podKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import type { Env, Timer } from "../lib/env.ts";
import { deepEqual } from "../machinery/deepEqual.ts";
import { isApiError } from "../machinery/errors.ts";
import { statusPatch } from "./statusPatch.ts";

/** Delay after a write that failed; it doubles. */
const RETRY_DELAY_MIN_MS = 200;
const RETRY_DELAY_MAX_MS = 10_000;

interface Entry {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** What the API has, as far as is known. */
  known: PodStatus;
  wanted: PodStatus | undefined;
  deleteWanted: boolean;
  isWriting: boolean;
  retryDelayMs: number;
  timer: Timer | undefined;
}

export interface StatusWriter {
  set(pod: Pod, status: PodStatus): void;
  /** Everything of it has ended: delete it from the API after the last status. */
  delete(pod: Pod): void;
  /** It is no longer there. */
  forget(uid: string): void;
  stop(): void;
}

export function createStatusWriter({ env, client }: { readonly env: Env; readonly client: Client }): StatusWriter {
  const entries = new Map<string, Entry>();
  let isStopped = false;

  const entryOf = ({ metadata, status }: Pod): Entry => {
    let entry = entries.get(metadata.uid);
    if (entry === undefined) {
      const { uid, name, namespace = "" } = metadata;
      entry = {
        uid,
        name,
        namespace,
        known: status ?? {},
        wanted: undefined,
        deleteWanted: false,
        isWriting: false,
        retryDelayMs: RETRY_DELAY_MIN_MS,
        timer: undefined,
      };
      entries.set(uid, entry);
    }
    return entry;
  };

  const hasWork = ({ wanted, deleteWanted }: Entry): boolean => wanted !== undefined || deleteWanted;

  /** One step: the status before the deletion. */
  const writeOnce = async (entry: Entry): Promise<void> => {
    const target = { name: entry.name, namespace: entry.namespace };
    const { wanted } = entry;
    if (wanted !== undefined) {
      const patch = statusPatch(entry.known, wanted);
      if (patch !== undefined) {
        const body = { metadata: { uid: entry.uid }, status: patch };
        const written = await client.patch(podKind, target, "strategic", body, { subresource: "status" });
        entry.known = written.status ?? wanted;
      }
      if (entry.wanted === wanted) entry.wanted = undefined;
      return;
    }
    await client.delete(podKind, target, { gracePeriodSeconds: 0, preconditions: { uid: entry.uid } });
    entry.deleteWanted = false;
  };

  const failed = (entry: Entry, error: unknown): void => {
    // A conflict (another pod of that name) is tried again too: the watch tells of the change and `forget` ends it.
    if (isApiError(error, "NotFound")) {
      entry.wanted = undefined;
      entry.deleteWanted = false;
      return;
    }
    if (isStopped) return;
    if (!entries.has(entry.uid)) return;
    env.log.warn("a pod's status could not be written", { pod: `${entry.namespace}/${entry.name}`, error });
    entry.timer = env.clock.setTimer(entry.retryDelayMs, () => run(entry));
    entry.retryDelayMs = Math.min(entry.retryDelayMs * 2, RETRY_DELAY_MAX_MS);
  };

  const run = async (entry: Entry): Promise<void> => {
    if (entry.isWriting || isStopped) return;
    entry.isWriting = true;
    entry.timer?.cancel();
    try {
      // Asked anew each time, without a gap in which a wish could go unheard.
      while (hasWork(entry)) {
        await writeOnce(entry);
        entry.retryDelayMs = RETRY_DELAY_MIN_MS;
      }
    } catch (error) {
      failed(entry, error);
    } finally {
      entry.isWriting = false;
    }
  };

  return {
    set(pod, status) {
      const entry = entryOf(pod);
      if (deepEqual(entry.wanted ?? entry.known, status)) return;
      entry.wanted = status;
      run(entry);
    },
    delete(pod) {
      const entry = entryOf(pod);
      if (entry.deleteWanted) return;
      entry.deleteWanted = true;
      run(entry);
    },
    forget(uid) {
      entries.get(uid)?.timer?.cancel();
      entries.delete(uid);
    },
    stop() {
      isStopped = true;
      for (const { timer } of entries.values()) timer?.cancel();
    },
  };
}
