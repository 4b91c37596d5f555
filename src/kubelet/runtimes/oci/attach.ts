import type { ExecRequest } from "../../runtime.ts";
import { resizeTerminal } from "./conmon.ts";
import { PacketSocket } from "./packetSocket.ts";
import { feed, writeSlowly } from "./streams.ts";

/** Joins a session's streams to a client's, through conmon's attach socket in `directory`. */
export async function joinStreams(directory: string, request: Omit<ExecRequest, "command">): Promise<void> {
  const socket = new PacketSocket(directory);
  await runSession(socket, directory, request);
}

/** Resolves when the session's output has ended, or the client has gone. */
export async function runSession(
  socket: PacketSocket,
  directory: string,
  request: Omit<ExecRequest, "command">,
): Promise<void> {
  const leave = () => socket.close();
  request.signal?.addEventListener("abort", leave, { once: true });
  if (request.signal?.aborted) leave();
  if (request.stdin !== undefined) feed(request.stdin, socket.input);
  const stopResizes = followResizes(directory, request.resizes);
  try {
    await socket.forward(async ({ stream, data }) => {
      const target = stream === "stderr" ? (request.stderr ?? request.stdout) : request.stdout;
      if (!(await writeSlowly(target, data))) leave();
    });
  } finally {
    request.signal?.removeEventListener("abort", leave);
    request.stdin?.unpipe(socket.input);
    stopResizes();
  }
}

/** Passes terminal sizes on as they come. @returns how to stop. */
function followResizes(directory: string, resizes: ExecRequest["resizes"]): () => void {
  if (resizes === undefined) return () => {};
  const sizes = resizes[Symbol.asyncIterator]();
  let isStopped = false;
  const follow = async () => {
    for (;;) {
      const { value, done } = await sizes.next();
      if (done || isStopped) return;
      resizeTerminal(directory, value);
    }
  };
  // A client that breaks off ends the session by other ways.
  follow().catch(() => undefined);
  return () => {
    isStopped = true;
    void sizes.return?.();
  };
}
