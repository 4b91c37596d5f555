/** A shell of sorts: runs a command once, or reads lines and answers them until `exit` or the end of input; and `cat`. */
import type { ExecRequest } from "../../runtime.ts";
import { simulatedExec } from "./connections.ts";
import type { SimulatedContainer } from "./container.ts";

const SHELLS = new Set(["sh", "bash", "ash"]);
/** Longest line that is read. */
const LINE_MAX = 4096;

export async function simulatedTerminal(
  container: SimulatedContainer,
  hostname: string,
  { command, stdin, stdout, stderr, tty, signal }: ExecRequest,
): Promise<number> {
  const name = command[0]?.split("/").at(-1) ?? "";
  const isInteractive = SHELLS.has(name) && command.length === 1;
  const write = (text: Uint8Array | string) => stdout?.write(tty ? `${text}`.replaceAll("\n", "\r\n") : text);
  if (name === "cat" && command.length === 1 && stdin !== undefined) return echo(stdin, write, signal);
  if (!isInteractive || stdin === undefined) {
    const result = isInteractive ? undefined : simulatedExec(container, hostname, command);
    if (result !== undefined && result.stdout.length > 0) write(Buffer.from(result.stdout).toString("utf8"));
    if (result !== undefined && result.stderr.length > 0) stderr?.write(result.stderr);
    return result?.exitCode ?? 0;
  }
  if (tty) write("$ ");
  let pending = "";
  let lastCode = 0;
  for await (const chunk of stdin) {
    if (signal?.aborted === true) return 137;
    const text = Buffer.from(chunk as Uint8Array).toString("utf8");
    if (tty) write(text.replaceAll("\r", "\n"));
    pending = (pending + text.replaceAll("\r", "\n")).slice(-LINE_MAX);
    const lines = pending.split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) {
      const exit = /^exit(?: (\d+))?$/.exec(line.trim());
      if (exit !== null) return Number(exit[1] ?? lastCode);
      if (line.trim() !== "") {
        const result = simulatedExec(container, hostname, line.trim().split(/\s+/));
        lastCode = result.exitCode;
        if (result.stdout.length > 0) write(Buffer.from(result.stdout).toString("utf8"));
      }
      if (tty) write("$ ");
    }
  }
  return lastCode;
}

/** What `cat` does. */
async function echo(
  stdin: AsyncIterable<Uint8Array | string>,
  write: (text: Uint8Array | string) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  for await (const chunk of stdin) {
    if (signal?.aborted === true) return 137;
    write(chunk);
  }
  return 0;
}
