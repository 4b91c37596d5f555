import type { WatchFrame, WatchStream } from "../../machinery/requests.ts";

/** Frames that wait for a slow reader; beyond this the watch ends, and its client comes back with what it has seen. */
const WAITING_MAX = 10_000;
/** The same for the bytes of their objects, some of which wait a second time in the connection. */
const WAITING_BYTES_MAX = 32 * 2 ** 20;

/** Frames on their way to one watcher. */
export class WatchQueue implements WatchStream {
  #frames: WatchFrame[] = [];
  #wake: ((frames: readonly WatchFrame[] | undefined) => void) | undefined;
  #isOver = false;
  /** How many of the waiting ones came by `fill`. */
  #filled = 0;
  /** Bytes of those that came by `push`. */
  #bytes = 0;
  onCutOff: (() => void) | undefined;
  #onClose: () => void = () => undefined;

  /** Called once, when either side ends the watch. */
  set onClose(run: () => void) {
    this.#onClose = run;
  }

  /** What a watch begins with, however much it is: it is all there before the reader has had a chance. */
  fill(frame: WatchFrame): void {
    if (this.#isOver) return;
    this.#frames.push(frame);
    this.#filled += 1;
  }

  /** @param bytes of its object */
  push(frame: WatchFrame, bytes = 0): void {
    if (this.#isOver) return;
    const isFull = this.#frames.length >= this.#filled + WAITING_MAX || this.#bytes >= WAITING_BYTES_MAX;
    if (isFull) {
      this.end();
      this.onCutOff?.();
      return;
    }
    this.#frames.push(frame);
    this.#bytes += bytes;
    if (this.#wake !== undefined) queueMicrotask(() => this.#deliver());
  }

  /** Ends the watch once what waits has been read. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onClose();
    this.#deliver();
  }

  next(): Promise<readonly WatchFrame[] | undefined> {
    if (this.#frames.length > 0 || this.#isOver) return Promise.resolve(this.#take());
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  close(): void {
    this.#frames = [];
    this.end();
  }

  #deliver(): void {
    if (this.#wake === undefined || (this.#frames.length === 0 && !this.#isOver)) return;
    const wake = this.#wake;
    this.#wake = undefined;
    wake(this.#take());
  }

  #take(): readonly WatchFrame[] | undefined {
    if (this.#frames.length === 0) return undefined;
    const frames = this.#frames;
    this.#frames = [];
    this.#filled = 0;
    this.#bytes = 0;
    return frames;
  }
}
