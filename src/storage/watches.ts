import type { History } from "./history.ts";
import { CompactedError, type StorageEvent, type Watcher } from "./storage.ts";

interface Watch {
  readonly prefix: string;
  readonly watcher: Watcher;
  /** Events up to this revision have been delivered, or come before what was asked for. */
  deliveredRevision: number;
}

/** A watcher must not throw: that is a bug, so it stops the process, but not the delivery to the others. */
function crash(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * The watchers of one history. Each has its own place in it and is always brought from there to the newest revision,
 * so order, completeness and the absence of duplicates do not depend on who calls when.
 */
export class Watches {
  readonly #history: History;
  readonly #watches = new Set<Watch>();

  constructor(history: History) {
    this.#history = history;
  }

  /** Never calls the watcher before it has returned. */
  add(prefix: string, sinceRevision: number, watcher: Watcher): () => void {
    const watch: Watch = { prefix, watcher, deliveredRevision: sinceRevision };
    this.#watches.add(watch);
    const { compactedRevision } = this.#history;
    const refused = this.#history.isCompacted(sinceRevision);
    if (refused) watch.deliveredRevision = Number.POSITIVE_INFINITY;
    queueMicrotask(() => {
      if (!this.#watches.has(watch)) return;
      if (refused) this.#end(watch, new CompactedError(sinceRevision, compactedRevision));
      // An earlier `publish` leaves nothing to do.
      else if (watch.deliveredRevision === sinceRevision) this.#deliver(watch);
    });
    return () => {
      this.#watches.delete(watch);
    };
  }

  /** Brings every watcher to the newest revision, also those for which there is nothing in it. */
  publish(): void {
    for (const watch of this.#watches) this.#deliver(watch);
  }

  end(error: Error): void {
    for (const watch of this.#watches) this.#end(watch, error);
  }

  #deliver(watch: Watch): void {
    const { revision, compactedRevision } = this.#history;
    const since = watch.deliveredRevision;
    if (since > revision) return;
    if (since < compactedRevision) {
      this.#end(watch, new CompactedError(since, compactedRevision));
      return;
    }
    watch.deliveredRevision = revision;
    const events: StorageEvent[] = [];
    for (const event of this.#history.after(since)) if (event.entry.key.startsWith(watch.prefix)) events.push(event);
    try {
      watch.watcher.onEvents(events, revision);
    } catch (error) {
      crash(error);
    }
  }

  #end(watch: Watch, error: Error): void {
    this.#watches.delete(watch);
    try {
      watch.watcher.onEnd(error);
    } catch (thrown) {
      crash(thrown);
    }
  }
}
