/**
 * Where pods wait for a node. Three places: `active` (now), `backoff` (tried a moment ago) and `unschedulable` (until
 * something happens that could help). Source: kubernetes pkg/scheduler/backend/queue/scheduling_queue.go.
 *
 * Worked history: a pod is added (active), taken, does not fit (unschedulable), another pod goes away: it moves to
 * backoff until 1 s after its attempt, then to active; the second attempt in vain makes that 2 s, at most 10.
 */
import type { Pod } from "../api/generated/core-v1.ts";
import { Heap } from "../lib/heap.ts";
import type { ClusterEvent } from "./framework.ts";

/** Source: DefaultPodInitialBackoffDuration, DefaultPodMaxBackoffDuration, DefaultPodMaxInUnschedulablePodsDuration. */
const BACKOFF_INITIAL_MS = 1_000;
const BACKOFF_MAX_MS = 10_000;
const UNSCHEDULABLE_MAX_MS = 5 * 60_000;

interface Waiting {
  pod: Pod;
  readonly order: number;
  attempts: number;
  triedAtMs: number;
  place: "active" | "backoff" | "unschedulable" | "taken";
  /** Plugins that said no the last time; empty after an error. */
  plugins: readonly string[];
  /** An event came while the pod was being tried; it counts afterwards. */
  missed: Set<ClusterEvent>;
}

export class SchedulingQueue {
  readonly #byUid = new Map<string, Waiting>();
  readonly #active = new Heap<Waiting>(
    (a, b) => (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) || a.order - b.order,
  );
  readonly #helps: (plugin: string, event: ClusterEvent) => boolean;
  #order = 0;

  /** @param helps whether an event can undo a rejection by that plugin. */
  constructor(helps: (plugin: string, event: ClusterEvent) => boolean) {
    this.#helps = helps;
  }

  get size(): number {
    return this.#byUid.size;
  }

  /** A new pod, or a newer revision of one that waits. */
  put(pod: Pod, nowMs: number): void {
    const known = this.#byUid.get(pod.metadata.uid);
    if (known === undefined) {
      const waiting: Waiting = {
        pod,
        order: this.#order++,
        attempts: 0,
        triedAtMs: nowMs,
        place: "active",
        plugins: [],
        missed: new Set(),
      };
      this.#byUid.set(pod.metadata.uid, waiting);
      this.#active.push(waiting);
      return;
    }
    const specChanged = known.pod.spec !== pod.spec && known.pod.metadata.generation !== pod.metadata.generation;
    known.pod = pod;
    if (specChanged) this.#wake(known, "pod-changed", nowMs);
  }

  remove(uid: string): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    this.#byUid.delete(uid);
    known.place = "taken";
  }

  /** The next pod to try, highest priority first, then first come. */
  take(nowMs: number): Pod | undefined {
    this.#promote(nowMs);
    for (;;) {
      const next = this.#active.pop();
      if (next === undefined) return undefined;
      if (next.place !== "active" || this.#byUid.get(next.pod.metadata.uid) !== next) continue;
      next.place = "taken";
      next.attempts += 1;
      next.triedAtMs = nowMs;
      next.missed.clear();
      return next.pod;
    }
  }

  /** The try was in vain: it waits for what could help `plugins`, or after an error (none) for its back-off. */
  giveBack(uid: string, plugins: readonly string[], nowMs: number): void {
    const known = this.#byUid.get(uid);
    if (known === undefined || known.place !== "taken") return;
    known.plugins = plugins;
    known.place = plugins.length === 0 ? "backoff" : "unschedulable";
    for (const event of known.missed) this.#wake(known, event, nowMs);
  }

  /** Something happened; who could be helped by it moves on. */
  happened(event: ClusterEvent, nowMs: number): void {
    for (const waiting of this.#byUid.values()) {
      if (waiting.place === "taken") waiting.missed.add(event);
      else this.#wake(waiting, event, nowMs);
    }
  }

  /** When the next pod can move by the mere passing of time; undefined: none. */
  nextDueMs(): number | undefined {
    let earliest: number | undefined;
    for (const waiting of this.#byUid.values()) {
      const due = this.#dueMs(waiting);
      if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due;
    }
    return earliest;
  }

  #wake(waiting: Waiting, event: ClusterEvent, nowMs: number): void {
    if (waiting.place !== "unschedulable") return;
    if (!waiting.plugins.some((plugin) => this.#helps(plugin, event))) return;
    waiting.place = "backoff";
    if (this.#backoffEndMs(waiting) <= nowMs) this.#activate(waiting);
  }

  #promote(nowMs: number): void {
    for (const waiting of this.#byUid.values()) {
      const due = this.#dueMs(waiting);
      if (due !== undefined && due <= nowMs) this.#activate(waiting);
    }
  }

  #activate(waiting: Waiting): void {
    waiting.place = "active";
    this.#active.push(waiting);
  }

  #dueMs(waiting: Waiting): number | undefined {
    if (waiting.place === "backoff") return this.#backoffEndMs(waiting);
    if (waiting.place === "unschedulable") return waiting.triedAtMs + UNSCHEDULABLE_MAX_MS;
    return undefined;
  }

  #backoffEndMs({ attempts, triedAtMs }: Waiting): number {
    return attempts === 0 ? triedAtMs : triedAtMs + Math.min(BACKOFF_INITIAL_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS);
  }
}
