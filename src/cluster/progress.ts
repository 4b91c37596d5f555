/** Progress lines: what is being done, and how long it took. On a terminal the running step shows while it runs. */
import { performance } from "node:perf_hooks";
import colours from "picocolors";
import { CLEAR_LINE, isLive, liveLine } from "./liveLine.ts";

export interface Progress {
  /** Runs one step and prints its line. */
  step<T>(title: string, run: () => Promise<T>): Promise<T>;
  /** A step that somebody else ran. */
  done(title: string, durationMs: number): void;
  note(text: string): void;
  warn(text: string): void;
}

export const formatDuration = (durationMs: number): string =>
  durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`;

export function createProgress(output: NodeJS.WriteStream = process.stderr): Progress {
  const live = isLive(output);
  const print = (text: string) => output.write(`${live ? CLEAR_LINE : ""}${text}\n`);
  const done = (title: string, durationMs: number) =>
    print(` ${colours.green("✓")} ${title} ${colours.dim(`(${formatDuration(durationMs)})`)}`);
  return {
    done,
    step: async (title, run) => {
      const startedMs = performance.now();
      if (live) output.write(liveLine(` ${colours.cyan("•")} ${title} …`));
      try {
        const result = await run();
        done(title, performance.now() - startedMs);
        return result;
      } catch (error) {
        print(` ${colours.red("✗")} ${title}`);
        throw error;
      }
    },
    note: (text) => print(`   ${text}`),
    warn: (text) => print(` ${colours.yellow("!")} ${text}`),
  };
}
