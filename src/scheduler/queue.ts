/**
 * Where pods wait for a node. Three places: `active` (now), `backoff` (tried a moment ago) and `unschedulable` (until
 * something happens that could help). Source: kubernetes pkg/scheduler/backend/queue/scheduling_queue.go.
 *
 * Worked history: a pod is added (active), taken, does not fit (unschedulable), another pod goes away: it moves to
 * backoff until 1 s after its attempt, then to active, or is taken before when nothing is there; the second attempt in
 * vain makes that 2 s, at most 10.
 *
 * Every step costs the pods that it moves, not those that wait: each place has its own order, and the unschedulable
 * ones are also found by the plugins that rejected them.
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
  /** As its place in the heap was found: fixed while it is there. */
  priority: number;
  attempts: number;
  triedAtMs: number;
  /** Number of the last event before the attempt; later ones came during it. */
  triedAfterEvent: number;
  /** The pod itself was changed during the attempt. */
  hasChanged: boolean;
  place: "active" | "backoff" | "error-backoff" | "unschedulable" | "taken" | "gone";
  /** Plugins that said no the last time; empty after an error. */
  plugins: readonly string[];
}

const priorityOf = ({ spec }: Pod) => spec.priority ?? 0;

const backoffEndMs = ({ attempts, triedAtMs }: Waiting): number =>
  attempts === 0 ? triedAtMs : triedAtMs + Math.min(BACKOFF_INITIAL_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS);

export class SchedulingQueue {
  readonly #byUid = new Map<string, Waiting>();
  /** The heaps may still hold what has left its place; that is passed over when it comes up. */
  readonly #active = new Heap<Waiting>((a, b) => b.priority - a.priority || a.order - b.order);
  readonly #backoff = new Heap<Waiting>((a, b) => backoffEndMs(a) - backoffEndMs(b) || a.order - b.order);
  /** After an error, such as a binding that failed. */
  readonly #errorBackoff = new Heap<Waiting>((a, b) => backoffEndMs(a) - backoffEndMs(b) || a.order - b.order);
  /** Longest waiting first, as each comes here right after its attempt. */
  readonly #unschedulable = new Set<Waiting>();
  readonly #byPlugin = new Map<string, Set<Waiting>>();
  readonly #lastOf = new Map<ClusterEvent, number>();
  readonly #helps: (plugin: string, event: ClusterEvent) => boolean;
  #order = 0;
  #events = 0;

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
      const fresh = { attempts: 0, triedAtMs: nowMs, triedAfterEvent: this.#events, hasChanged: false, plugins: [] };
      const waiting: Waiting = { ...fresh, pod, order: this.#order++, priority: priorityOf(pod), place: "taken" };
      this.#byUid.set(pod.metadata.uid, waiting);
      this.#activate(waiting);
      return;
    }
    const hasChanged = known.pod.metadata.generation !== pod.metadata.generation;
    known.pod = pod;
    if (!hasChanged) return;
    if (known.place === "taken") known.hasChanged = true;
    else if (known.place === "unschedulable" && this.#isHelped(known, "pod-changed")) this.#wake(known, nowMs);
  }

  remove(uid: string): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    this.#byUid.delete(uid);
    this.#leave(known, "gone");
  }

  /** The next pod to try, highest priority first, then first come. */
  take(nowMs: number): Pod | undefined {
    this.#promote(nowMs);
    const next = this.#pop();
    if (next === undefined) return undefined;
    next.place = "taken";
    next.attempts += 1;
    next.triedAtMs = nowMs;
    next.triedAfterEvent = this.#events;
    next.hasChanged = false;
    return next.pod;
  }

  /**
   * Who could be helped is not kept waiting while there is nothing else to do: the back-off only lets others go first.
   * Who met an error waits it out. Source: feature SchedulerPopFromBackoffQ.
   */
  #pop(): Waiting | undefined {
    if (first(this.#active, "active") !== undefined) return this.#active.pop();
    return first(this.#backoff, "backoff") === undefined ? undefined : this.#backoff.pop();
  }

  /** The try was in vain: it waits for what could help `plugins`, or after an error (none) for its back-off. */
  giveBack(uid: string, plugins: readonly string[], nowMs: number): void {
    const known = this.#byUid.get(uid);
    if (known === undefined || known.place !== "taken") return;
    known.plugins = plugins;
    if (plugins.length === 0 || this.#hasMissed(known)) {
      this.#wake(known, nowMs);
      return;
    }
    known.place = "unschedulable";
    this.#unschedulable.add(known);
    for (const plugin of plugins) {
      const rejected = this.#byPlugin.get(plugin) ?? new Set();
      this.#byPlugin.set(plugin, rejected.add(known));
    }
  }

  /** Something happened; who could be helped by it moves on. */
  happened(event: ClusterEvent, nowMs: number): void {
    this.#lastOf.set(event, ++this.#events);
    for (const [plugin, rejected] of this.#byPlugin) {
      if (this.#helps(plugin, event)) for (const waiting of [...rejected]) this.#wake(waiting, nowMs);
    }
  }

  /** When the next pod can move by the mere passing of time; undefined: none. */
  nextDueMs(): number | undefined {
    const next = [first(this.#backoff, "backoff"), first(this.#errorBackoff, "error-backoff")];
    const [oldest] = this.#unschedulable;
    const dues = [
      ...next.filter((waiting) => waiting !== undefined).map(backoffEndMs),
      ...(oldest === undefined ? [] : [oldest.triedAtMs + UNSCHEDULABLE_MAX_MS]),
    ];
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  /** Whether something that helps happened during the attempt. */
  #hasMissed(waiting: Waiting): boolean {
    if (waiting.hasChanged && this.#isHelped(waiting, "pod-changed")) return true;
    for (const [event, number] of this.#lastOf) {
      if (number > waiting.triedAfterEvent && this.#isHelped(waiting, event)) return true;
    }
    return false;
  }

  #isHelped({ plugins }: Waiting, event: ClusterEvent): boolean {
    return plugins.some((plugin) => this.#helps(plugin, event));
  }

  /** From unschedulable, or from an attempt, to backoff, or to active when that is over. */
  #wake(waiting: Waiting, nowMs: number): void {
    if (backoffEndMs(waiting) <= nowMs) {
      this.#activate(waiting);
      return;
    }
    const isError = waiting.plugins.length === 0;
    this.#leave(waiting, isError ? "error-backoff" : "backoff");
    (isError ? this.#errorBackoff : this.#backoff).push(waiting);
  }

  #promote(nowMs: number): void {
    this.#promoteFrom(this.#backoff, "backoff", nowMs);
    this.#promoteFrom(this.#errorBackoff, "error-backoff", nowMs);
    for (const waiting of this.#unschedulable) {
      if (waiting.triedAtMs + UNSCHEDULABLE_MAX_MS > nowMs) return;
      this.#activate(waiting);
    }
  }

  #promoteFrom(heap: Heap<Waiting>, place: Waiting["place"], nowMs: number): void {
    for (;;) {
      const next = first(heap, place);
      if (next === undefined || backoffEndMs(next) > nowMs) return;
      heap.pop();
      this.#activate(next);
    }
  }

  #activate(waiting: Waiting): void {
    this.#leave(waiting, "active");
    waiting.priority = priorityOf(waiting.pod);
    this.#active.push(waiting);
  }

  #leave(waiting: Waiting, place: Waiting["place"]): void {
    waiting.place = place;
    if (!this.#unschedulable.delete(waiting)) return;
    for (const plugin of waiting.plugins) this.#byPlugin.get(plugin)?.delete(waiting);
  }
}

/** The first that is still in that place. */
function first(heap: Heap<Waiting>, place: Waiting["place"]): Waiting | undefined {
  while (heap.size > 0 && heap.peek()?.place !== place) heap.pop();
  return heap.peek();
}
