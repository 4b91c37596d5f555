import { CommandError } from "../backends/command.ts";

/** Scripts that share a process; with more, the first would wait for the last. */
const SCRIPTS_AT_ONCE_MAX = 5;
/** Of those that can wait: whatever comes meanwhile waits for them to end. */
const PATIENT_AT_ONCE_MAX = 2;

/** Stands around each exit code; no tool prints it. ASCII's record separator. */
const MARK = "\x1e";

interface Waiting {
  readonly script: string;
  readonly canWait: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Each in a shell of its own that ends with the first command that fails. */
const grouped = (scripts: readonly string[]): string =>
  scripts.map((script) => `(\nset -e\n${script}\n) 2>&1\nprintf '\\036%s\\036' $?\n`).join("");

/**
 * Runs shell scripts, one after the other. Those that come while others run share the next process, because with many
 * pods at once starting processes costs more than what these do.
 * @param run one script for `sh`, to its end; gives what it printed
 * @returns how to run a script. It throws a CommandError when that fails, whatever the others do. What can wait lets
 * everything else go first: the kernel takes its time to remove a wire, and a hundred of them would hold back for seconds
 * those of pods that start.
 */
export function groupedShell(
  run: (script: string) => Promise<string>,
): (script: string, options?: { readonly canWait?: boolean }) => Promise<void> {
  const waiting: Waiting[] = [];
  let isRunning = false;

  const runGroup = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const printed = (await run(grouped(group.map(({ script }) => script)))).split(MARK);
      for (const [index, { script, resolve, reject }] of group.entries()) {
        const [text = "", code = ""] = printed.slice(index * 2);
        if (code === "0") resolve();
        else reject(new CommandError(["sh", "-c", script], Number(code), text));
      }
    } catch (error) {
      for (const { reject } of group) reject(error as Error);
    }
  };

  /** Of one sort, so that what starts does not wait for the rest of its group either. */
  const nextGroup = (): readonly Waiting[] => {
    const [first] = waiting;
    const end = waiting.findIndex(({ canWait }) => canWait !== first?.canWait);
    const atOnceMax = first?.canWait === true ? PATIENT_AT_ONCE_MAX : SCRIPTS_AT_ONCE_MAX;
    return waiting.splice(0, Math.min(end < 0 ? waiting.length : end, atOnceMax));
  };

  const runAll = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) await runGroup(nextGroup());
    isRunning = false;
  };

  return (script, { canWait = false } = {}) =>
    new Promise((resolve, reject) => {
      const patient = waiting.findIndex((other) => other.canWait);
      const place = canWait || patient < 0 ? waiting.length : patient;
      waiting.splice(place, 0, { script, canWait, resolve, reject });
      if (!isRunning) void runAll();
    });
}
