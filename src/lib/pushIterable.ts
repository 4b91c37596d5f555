/** An async iterable that is fed by calls: for events that arrive faster or slower than they are read. */
export interface PushIterable<T> extends AsyncIterable<T> {
  push(value: T): void;
  end(error?: Error): void;
}

/** @param waitingMax beyond it the oldest value is dropped; absent, nothing is ever dropped. */
export function pushIterable<T>(waitingMax = Number.POSITIVE_INFINITY): PushIterable<T> {
  const waiting: T[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const notify = () => {
    wake?.();
    wake = undefined;
  };
  return {
    push: (value) => {
      if (ended) return;
      if (waiting.length >= waitingMax) waiting.shift();
      waiting.push(value);
      notify();
    },
    end: (error) => {
      ended = true;
      failure = error;
      notify();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift() as T;
        if (failure !== undefined) throw failure;
        if (ended) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
