import type { Env } from "../lib/env.ts";
import type { KindDefinition } from "../machinery/defineKind.ts";
import { ApiError, isApiError, type Status } from "../machinery/errors.ts";
import type { KubeObject, WatchEvent } from "../machinery/object.ts";
import { Backoff } from "./backoff.ts";
import type { Client } from "./client.ts";
import { isUnreachable, Outage } from "./outage.ts";

/** Objects in one page of a list. Source: client-go tools/pager, defaultPageSize. */
export const LIST_PAGE_MAX = 500;
/** A watch is ended by the server after between once and twice this. Source: client-go reflector.go, minWatchTimeout. */
const WATCH_TIMEOUT_SECONDS = 300;
/** A watch that ends sooner than this without an event has failed. Source: client-go reflector.go, handleAnyWatch. */
const SHORT_WATCH_MS = 1000;
/** Source: client-go reflector.go, NewReflectorWithOptions. */
const RELIST_BACKOFF = { initialMs: 800, maxMs: 30_000, factor: 2, jitter: 1, resetAfterMs: 120_000 };

export interface ReflectorSink<T> {
  /** The whole state, as of a revision. */
  replace(objects: readonly T[], resourceVersion: string): void;
  /** What happened since, in order. Bookmarks are among the events. */
  apply(events: readonly WatchEvent<T>[]): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly env: Env;
  readonly client: Client;
  readonly kind: KindDefinition<T>;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly sink: ReflectorSink<T>;
  /** Shared by those who talk to one server. */
  readonly outage?: Outage;
  readonly signal: AbortSignal;
}

/** Lists, then watches from there, and starts again when that fails; until `signal` aborts. Never rejects. */
export async function runReflector<T extends KubeObject>(options: ReflectorOptions<T>): Promise<void> {
  const { env, kind, signal, sink, outage = new Outage(options.env) } = options;
  const log = env.log.child({ reflector: kind.plural });
  const backoff = new Backoff(env, RELIST_BACKOFF);
  let triedMs = Number.NEGATIVE_INFINITY;
  for (let attempts = 0; !signal.aborted; ) {
    try {
      triedMs = env.clock.monotonic();
      const { items, resourceVersion } = await listAll(options);
      if (signal.aborted) return;
      outage.over();
      attempts = 0;
      sink.replace(items, resourceVersion);
      await watchOnAndOn({ ...options, outage }, resourceVersion, backoff);
    } catch (error) {
      if (signal.aborted) return;
      if (isUnreachable(error)) {
        await outage.wait(attempts++, error, signal);
        continue;
      }
      const isExpected = isApiError(error, "Expired") || isApiError(error, "Gone");
      log[isExpected ? "debug" : "warn"]("listing and watching failed; will list again", { error });
      // A version grows old while nobody looks; a list that is old at once has to be waited for.
      if (isExpected && env.clock.monotonic() - triedMs >= SHORT_WATCH_MS) continue;
    }
    await env.clock.sleep(backoff.next(), signal).catch(() => undefined);
  }
}

async function listAll<T extends KubeObject>(options: ReflectorOptions<T>) {
  const items: T[] = [];
  let next: string | undefined;
  for (;;) {
    const list = await options.client.list(options.kind, {
      ...selection(options),
      limit: LIST_PAGE_MAX,
      ...(next !== undefined && { continue: next }),
    });
    for (const item of list.items) items.push(item);
    next = list.metadata.continue;
    if (next === undefined || next === "") return { items, resourceVersion: list.metadata.resourceVersion ?? "" };
  }
}

type WatchOptions<T extends KubeObject> = ReflectorOptions<T> & { readonly outage: Outage };

/** Watches, again from where the last watch ended, until one fails in a way that only a new list can mend. */
async function watchOnAndOn<T extends KubeObject>(options: WatchOptions<T>, since: string, backoff: Backoff) {
  const { env, signal, outage, sink } = options;
  let resourceVersion = since;
  let attempts = 0;
  const noting: ReflectorSink<T> = {
    ...sink,
    apply(events) {
      attempts = 0;
      sink.apply(events);
      resourceVersion = events.at(-1)?.object.metadata.resourceVersion ?? resourceVersion;
    },
  };
  while (!signal.aborted) {
    const startedMs = env.clock.monotonic();
    const from = resourceVersion;
    try {
      await watchOnce({ ...options, sink: noting }, from);
      if (signal.aborted) return;
      if (from === resourceVersion && env.clock.monotonic() - startedMs < SHORT_WATCH_MS) {
        throw new Error("the watch ended at once, without any event");
      }
    } catch (error) {
      if (signal.aborted) throw error;
      if (isUnreachable(error)) await outage.wait(attempts++, error, signal);
      // The server is only busy; what we have is still good. Source: client-go reflector.go, watch.
      else if (isApiError(error, "TooManyRequests")) await env.clock.sleep(backoff.next(), signal);
      else throw error;
    }
  }
}

async function watchOnce<T extends KubeObject>(options: WatchOptions<T>, since: string): Promise<void> {
  const { client, kind, sink, signal, env, outage } = options;
  const batches = await client.watch(kind, {
    ...selection(options),
    resourceVersion: since,
    allowWatchBookmarks: true,
    timeoutSeconds: Math.floor(WATCH_TIMEOUT_SECONDS * (1 + env.random.next())),
  });
  outage.over();
  for await (const batch of batches) {
    if (signal.aborted) return;
    for (const event of batch) if (event.type === "ERROR") throw errorOf(event.object);
    sink.apply(batch);
  }
}

const errorOf = (object: unknown): ApiError => {
  const status = object as Partial<Status>;
  return ApiError.fromStatus(status, status.code ?? 500);
};

const selection = <T extends KubeObject>(options: ReflectorOptions<T>) => ({
  ...(options.namespace !== undefined && { namespace: options.namespace }),
  ...(options.labelSelector !== undefined && { labelSelector: options.labelSelector }),
  ...(options.fieldSelector !== undefined && { fieldSelector: options.fieldSelector }),
  signal: options.signal,
});
