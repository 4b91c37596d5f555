import { apiVersionOf, type KubeObject } from "../../machinery/object.ts";
import { PROTOBUF_MEDIA_TYPE } from "../../machinery/protobuf/envelope.ts";
import type { ApiResponse, WatchFrame } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { type ListOptions, matcherOf, parseListOptions, scopeOf } from "../listOptions.ts";
import { notAcceptable } from "../output/accept.ts";
import { isExpired, makeFrame as makeJsonFrame } from "../output/frames.ts";
import { negotiate } from "../output/negotiate.ts";
import { PROTOBUF_WATCH_MEDIA_TYPE } from "../output/protobuf.ts";
import type { View } from "../output/view.ts";
import { readRevision } from "../resourceVersion.ts";
import type { Scope } from "../store/objectIndex.ts";
import { atRevision, jsonLength } from "../store/objectJson.ts";
import type { CacheEvent, EventSink, SharedFrames } from "../store/sinkGroups.ts";
import { WatchQueue } from "../store/watchQueue.ts";
import { waitForRevision } from "./get.ts";

/** Watches without a time limit end after once to twice this. Source: kube-apiserver --min-request-timeout. */
const TIMEOUT_MIN_SECONDS = 1_800;

/** How long before its end a watch says once more how far it has come. Source: cacher cache_watcher.go, nextBookmarkTime. */
const LAST_BOOKMARK_MS = 2_000;

/** YAML documents do not make a stream. Source: apimachinery serializer/codec_factory.go. */
const STREAMED_TYPES = ["application/json", PROTOBUF_MEDIA_TYPE];

const INITIAL_EVENTS_END = { "k8s.io/initial-events-end": "true" };

/** GET with `watch=true`: what happens from a revision on. */
export async function watch(call: ResourceRequest): Promise<ApiResponse> {
  const { request, resource, info, server } = call;
  const { view, mediaType } = negotiate(call);
  if (!STREAMED_TYPES.includes(mediaType)) throw notAcceptable(STREAMED_TYPES.map((type) => `${type};stream=watch`));
  const isProtobuf = mediaType === PROTOBUF_MEDIA_TYPE;
  const options = parseListOptions(request.query, resource, { isWatch: true });
  const scope = scopeOf(info, options, resource);
  const from = options.resourceVersion === "" ? undefined : readRevision(options.resourceVersion);
  if (options.sendInitialEvents === true || from === undefined) await waitForRevision(server, from);
  const queue = new WatchQueue();
  start(call, { queue, view, options, scope, isProtobuf });
  const contentType = isProtobuf ? PROTOBUF_WATCH_MEDIA_TYPE : "application/json";
  return { type: "watch", status: 200, contentType, isFramed: isProtobuf, events: queue };
}

interface Watching {
  readonly queue: WatchQueue;
  readonly view: View;
  readonly options: ListOptions;
  readonly scope: Scope;
  readonly isProtobuf: boolean;
}

/** In one turn, so that nothing happens between what is replayed and what is subscribed to. */
function start(call: ResourceRequest, watching: Watching): void {
  const { queue, options, scope } = watching;
  const { cache } = call.resource.store;
  const makeFrame = watching.isProtobuf ? call.server.codecs.protobuf.frame : makeJsonFrame;
  const frames = framesFor(call, watching, makeFrame);
  const push = (event: CacheEvent, shared: SharedFrames) => {
    const frame = frames.ofEvent(event, shared);
    if (frame !== undefined) queue.push(frame, jsonLength(event.object));
  };
  const fill = (event: CacheEvent) => {
    const frame = frames.ofEvent(event, new Map());
    if (frame !== undefined) queue.fill(frame);
  };
  try {
    if (isFromNow(options)) {
      replayState(call, options, scope, fill);
      if (options.sendInitialEvents) queue.fill(frames.ofBookmark(cache.revision, INITIAL_EVENTS_END));
    } else for (const event of cache.eventsSince(Number(options.resourceVersion))) fill(event);
  } catch (error) {
    if (!isExpired(error)) throw error;
    queue.fill(makeFrame("ERROR", error.toStatus()));
    queue.end();
    return;
  }
  // Another API server may have been ahead of this one when it named the revision.
  const since = isFromNow(options) ? 0 : Number(options.resourceVersion);
  const bookmark = (revision: number) => queue.push(frames.ofBookmark(revision));
  const sink: EventSink = {
    onEvent: (event, shared) => {
      if (event.revision > since) push(event, shared);
    },
    onBookmark: options.allowWatchBookmarks ? bookmark : () => undefined,
    onClose: () => queue.end(),
  };
  const stop = cache.subscribe(scope, sink);
  const { clock } = call.server.env;
  const lastsMs = timeoutMs(call, options);
  const timer = clock.setTimer(lastsMs, () => queue.end());
  const lastBookmark =
    options.allowWatchBookmarks && lastsMs > LAST_BOOKMARK_MS
      ? clock.setTimer(lastsMs - LAST_BOOKMARK_MS, () => bookmark(cache.revision))
      : undefined;
  const abort = () => queue.close();
  call.request.signal?.addEventListener("abort", abort, { once: true });
  queue.onClose = () => {
    stop();
    timer.cancel();
    lastBookmark?.cancel();
    call.request.signal?.removeEventListener("abort", abort);
  };
  if (call.request.signal?.aborted) abort();
}

/** "" and "0" begin with what is there now, unless `sendInitialEvents` is refused; then with what comes next. */
const isFromNow = ({ resourceVersion, sendInitialEvents }: ListOptions) =>
  sendInitialEvents === true || resourceVersion === "" || resourceVersion === "0";

function replayState(
  { resource }: ResourceRequest,
  { sendInitialEvents }: ListOptions,
  scope: Scope,
  fill: (event: CacheEvent) => void,
): void {
  if (sendInitialEvents === false) return;
  for (const object of resource.store.cache.list(scope)) {
    const revision = Number(object.metadata.resourceVersion);
    fill({ type: "ADDED", key: "", object, previous: undefined, revision });
  }
}

const timeoutMs = ({ server }: ResourceRequest, { timeoutSeconds }: ListOptions) =>
  1000 *
  (timeoutSeconds !== undefined && timeoutSeconds > 0
    ? timeoutSeconds
    : TIMEOUT_MIN_SECONDS * (1 + server.env.random.next()));

interface Frames {
  ofEvent(event: CacheEvent, shared: SharedFrames): WatchFrame | undefined;
  ofBookmark(revision: number, annotations?: Readonly<Record<string, string>>): WatchFrame;
}

/** An object that comes into a selector is ADDED, one that leaves it is DELETED (as it last matched). */
function framesFor(
  { resource }: ResourceRequest,
  { view, options, scope, isProtobuf }: Watching,
  makeFrame: typeof makeJsonFrame,
): Frames {
  const { kind, toServed } = resource;
  const matches = matcherOf(options, scope, resource);
  const form = isProtobuf ? `protobuf/${view.key}` : view.key;
  const isSelected = (object: KubeObject) => matches === undefined || matches(toServed(object));
  let isFirst = true;
  const withHeader = () => {
    const was = isFirst;
    isFirst = false;
    return was;
  };
  return {
    ofEvent: (event, shared) => {
      const seen = transition(event, isSelected);
      if (seen === undefined) return undefined;
      const hasHeader = withHeader();
      const key = `${form}/${seen.type}/${view.key.startsWith("table") && hasHeader}`;
      const known = shared.get(key);
      if (known !== undefined) return known;
      const frame = makeFrame(seen.type, view.one(seen.object, hasHeader));
      shared.set(key, frame);
      return frame;
    },
    ofBookmark: (revision, annotations) => {
      const metadata = { resourceVersion: String(revision), ...(annotations && { annotations }) };
      const empty = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } as KubeObject;
      return makeFrame("BOOKMARK", view.bookmark(empty, withHeader()));
    },
  };
}

function transition(
  { type, object, previous, revision }: CacheEvent,
  isSelected: (object: KubeObject) => boolean,
): { readonly type: CacheEvent["type"]; readonly object: KubeObject } | undefined {
  const was = previous !== undefined && isSelected(previous);
  const is = type !== "DELETED" && isSelected(object);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object };
  if (!was) return undefined;
  return { type: "DELETED", object: type === "DELETED" ? object : atRevision(previous, revision) };
}
