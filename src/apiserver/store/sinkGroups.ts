import type { KubeObject, WatchEventType } from "../../machinery/object.ts";
import type { WatchFrame } from "../../machinery/requests.ts";
import type { FieldReader, Scope } from "./objectIndex.ts";

/** One change of one object. */
export interface CacheEvent {
  readonly type: Extract<WatchEventType, "ADDED" | "MODIFIED" | "DELETED">;
  readonly key: string;
  /** For DELETED the last state, at the revision of the deletion. */
  readonly object: KubeObject;
  /** What it was before, where it was. */
  readonly previous: KubeObject | undefined;
  readonly revision: number;
}

/** The frames that were already made for an event while it is passed around: "view/type" to frame. */
export type SharedFrames = Map<string, WatchFrame>;

export interface EventSink {
  onEvent(event: CacheEvent, shared: SharedFrames): void;
  onBookmark(revision: number): void;
  onClose(): void;
}

/**
 * Sinks by what they watch, so that an event reaches the kubelet of its node without asking those of a thousand others.
 * A sink is in one group: of one object, of one value of a field, of one namespace, or of everything.
 */
export class SinkGroups {
  readonly #groups = new Map<string, Set<EventSink>>();
  /** Fields by whose value somebody watches, and how many do. */
  readonly #fields = new Map<string, number>();
  readonly #readers: Readonly<Record<string, FieldReader>>;

  constructor(readers: Readonly<Record<string, FieldReader>>) {
    this.#readers = readers;
  }

  add(scope: Scope, sink: EventSink): () => void {
    const field = scope.field !== undefined && this.#readers[scope.field.name] !== undefined ? scope.field : undefined;
    const group = groupOf({ ...scope, field });
    const isByField = group.startsWith("field:");
    const sinks = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, sinks.add(sink));
    if (isByField && field !== undefined) this.#fields.set(field.name, (this.#fields.get(field.name) ?? 0) + 1);
    return () => {
      if (!sinks.delete(sink)) return;
      if (sinks.size === 0 && this.#groups.get(group) === sinks) this.#groups.delete(group);
      if (isByField && field !== undefined) this.#forgetField(field.name);
    };
  }

  dispatch(event: CacheEvent): void {
    if (this.#groups.size === 0) return;
    const shared: SharedFrames = new Map();
    const { namespace, name } = event.object.metadata;
    this.#send(ALL, event, shared);
    if (namespace !== undefined) this.#send(`namespace:${namespace}`, event, shared);
    this.#send(`object:${namespace ?? ""}/${name}`, event, shared);
    for (const field of this.#fields.keys()) this.#sendByField(field, event, shared);
  }

  bookmark(revision: number): void {
    for (const sinks of this.#groups.values()) for (const sink of sinks) sink.onBookmark(revision);
  }

  closeAll(): void {
    for (const sinks of [...this.#groups.values()]) for (const sink of [...sinks]) sink.onClose();
  }

  /** An object that moves from one value to another concerns the watchers of both. */
  #sendByField(field: string, event: CacheEvent, shared: SharedFrames): void {
    const read = this.#readers[field] as FieldReader;
    const next = read(event.object);
    const previous = event.previous === undefined ? next : read(event.previous);
    this.#send(`field:${field}=${next}`, event, shared);
    if (previous !== next) this.#send(`field:${field}=${previous}`, event, shared);
  }

  #send(group: string, event: CacheEvent, shared: SharedFrames): void {
    const sinks = this.#groups.get(group);
    if (sinks !== undefined) for (const sink of sinks) sink.onEvent(event, shared);
  }

  #forgetField(name: string): void {
    const left = (this.#fields.get(name) ?? 0) - 1;
    if (left <= 0) this.#fields.delete(name);
    else this.#fields.set(name, left);
  }
}

const ALL = "all";

function groupOf({ namespace, name, field }: Scope): string {
  if (name !== undefined && namespace !== undefined) return `object:${namespace}/${name}`;
  if (field !== undefined) return `field:${field.name}=${field.value}`;
  return namespace === undefined ? ALL : `namespace:${namespace}`;
}
