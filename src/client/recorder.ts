import type { Event, ObjectReference } from "../api/generated/core-v1.ts";
import { event as eventKind } from "../api/index.ts";
import type { Env } from "../lib/env.ts";
import { ApiError, isApiError } from "../machinery/errors.ts";
import { type KubeObject, timestamp } from "../machinery/object.ts";
import type { Client } from "./client.ts";
import { type Correlation, EventCorrelator, type Occurrence, type RecordedEvent } from "./eventCorrelator.ts";

/** Events that wait to be written; further ones are dropped. Source: client-go record event.go, maxQueuedEvents. */
const WAITING_MAX = 1000;
/** Source: as above, maxTriesPerEvent and defaultSleepDuration. */
const WRITE_ATTEMPTS_MAX = 12;
const WRITE_RETRY_DELAY_MS = 10_000;

export type EventType = "Normal" | "Warning";

export interface Recorder {
  /** Says that something happened to an object. Returns at once; failures are logged, never thrown. */
  event(about: KubeObject | ObjectReference, type: EventType, reason: string, message: string): void;
  /** Resolves when all that has been said is written or dropped. */
  flush(): Promise<void>;
  /** Drops what is still waiting. */
  stop(): void;
}

export interface RecorderOptions {
  readonly env: Env;
  readonly client: Client;
  /** "deployment-controller", "kubelet", "default-scheduler"; `kubectl describe` shows it under "From". */
  readonly component: string;
  /** The node's name, for those that run on one. */
  readonly host?: string;
}

export const referenceTo = (object: KubeObject): ObjectReference => ({
  kind: object.kind,
  ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
  name: object.metadata.name,
  uid: object.metadata.uid,
  apiVersion: object.apiVersion,
  resourceVersion: object.metadata.resourceVersion,
});

export function createRecorder(options: RecorderOptions): Recorder {
  const { env } = options;
  const correlator = new EventCorrelator();
  const stopping = new AbortController();
  let waiting = 0;
  let tail = Promise.resolve();
  return {
    event(about, type, reason, message) {
      if (waiting >= WAITING_MAX || stopping.signal.aborted) return;
      const involved = "metadata" in about ? referenceTo(about) : about;
      const occurrence = { involved, type, reason, message };
      const correlation = correlator.correlate(occurrence, env.clock.now());
      if (correlation === undefined) return;
      waiting++;
      const atMs = env.clock.now();
      const name = eventName(involved.name ?? "", atMs, env);
      tail = tail.then(async () => {
        waiting--;
        if (stopping.signal.aborted) return;
        // Asked again, because an event before this one in the line may have been the same.
        const previous = correlator.recorded(correlation.key, env.clock.now());
        const written = await write(options, { ...occurrence, name, atMs }, correlation, previous, stopping.signal);
        if (written !== undefined) correlator.remember(correlation.key, written, env.clock.now());
      });
    },
    flush: () => tail,
    stop: () => stopping.abort(),
  };
}

/** An occurrence that has its place among all others. */
interface Told extends Occurrence {
  /** Of the event, if it is a new one. */
  readonly name: string;
  readonly atMs: number;
}

async function write(
  options: RecorderOptions,
  told: Told,
  correlation: Correlation,
  previous: RecordedEvent | undefined,
  signal: AbortSignal,
): Promise<RecordedEvent | undefined> {
  const { env, component } = options;
  for (let tried = 1; ; tried++) {
    try {
      if (previous !== undefined) {
        const counted = await countUp(options.client, previous, correlation.message, told.atMs);
        if (counted !== undefined) return counted;
      }
      return await create(options, told, correlation.message);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof ApiError || tried >= WRITE_ATTEMPTS_MAX) {
        env.log.debug("an event could not be written and is dropped", { component, reason: told.reason, error });
        return undefined;
      }
      const share = tried === 1 ? env.random.next() : 1;
      await env.clock.sleep(WRITE_RETRY_DELAY_MS * share, signal).catch(() => undefined);
    }
  }
}

/** @returns undefined where the earlier event is no longer there. */
async function countUp(client: Client, previous: RecordedEvent, message: string, atMs: number) {
  const count = previous.count + 1;
  try {
    const { name, namespace } = previous;
    const patch = { count, lastTimestamp: timestamp(atMs), message };
    await client.patch(eventKind, { name, namespace }, "strategic", patch);
    return { ...previous, count };
  } catch (error) {
    if (isApiError(error, "NotFound")) return undefined;
    throw error;
  }
}

async function create(
  { client, component, host }: RecorderOptions,
  { involved, type, reason, name, atMs }: Told,
  message: string,
): Promise<RecordedEvent> {
  const at = timestamp(atMs);
  const namespace = involved.namespace ?? "default";
  const event = await client.create<Event>(eventKind, {
    metadata: { name, namespace },
    involvedObject: involved,
    reason,
    message,
    type,
    count: 1,
    firstTimestamp: at,
    lastTimestamp: at,
    source: { component, ...(host !== undefined && { host }) },
    reportingComponent: component,
    reportingInstance: host ?? "",
  });
  return { name: event.metadata.name, namespace, count: 1, firstTimestamp: at };
}

/** Per clock, since all recorders of a process tell one story. */
const lastNanoseconds = new WeakMap<Env["clock"], bigint>();

/**
 * The object's name and the time in nanoseconds, in base 16. Our clock ends at milliseconds: the rest is drawn, but
 * always after what was told before, because kubectl shows the events of one second in the order of their names.
 */
function eventName(involvedName: string, atMs: number, { clock, random }: Env): string {
  const drawn = BigInt(Math.floor(atMs)) * 1_000_000n + BigInt(random.int(100_000));
  const last = lastNanoseconds.get(clock) ?? 0n;
  const nanoseconds = drawn > last ? drawn : last + 1n + BigInt(random.int(1_000));
  lastNanoseconds.set(clock, nanoseconds);
  return `${involvedName}.${nanoseconds.toString(16)}`;
}
