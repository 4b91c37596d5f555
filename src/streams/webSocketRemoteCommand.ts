/**
 * Exec and attach over WebSocket channels. v5 adds a message that closes one channel, which is how a client says that its
 * stdin has ended. Source: apimachinery util/remotecommand/constants.go, KEP-4006; kubelet cri/streaming/remotecommand.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { pushIterable } from "../lib/pushIterable.ts";
import {
  finalStatus,
  forgetInput,
  parseResize,
  type RemoteCommandStreams,
  type StreamOptions,
  type TerminalSize,
} from "./channels.ts";
import { type AcceptedWebSocket, webSocketAcceptor, webSocketChannels } from "./webSocketChannels.ts";

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Best first. A client that names none gets the oldest. */
const PROTOCOLS = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
];
/** Of those without a number in their name. */
const OLDEST_VERSION = 1;

/** A client may send stdin in messages up to this size; kubectl sends 32 KiB. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
const RESIZES_WAITING_MAX = 16;

const acceptor = webSocketAcceptor(PROTOCOLS, { messageBytesMax: MESSAGE_BYTES_MAX });

/** Completes the handshake; undefined when there was none to complete, and the socket is answered and closed then. */
export async function acceptWebSocketRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: StreamOptions,
): Promise<RemoteCommandStreams | undefined> {
  const accepted = await acceptor.accept(request, socket, head);
  return accepted && serve(accepted, options);
}

function serve(accepted: AcceptedWebSocket, options: StreamOptions): RemoteCommandStreams {
  const { webSocket, protocol } = accepted;
  const version = Number(/^v(\d)/.exec(protocol)?.[1] ?? OLDEST_VERSION);
  const channels = webSocketChannels(accepted, version >= 5 ? CHANNEL.close : undefined);
  const gone = new AbortController();
  const stdin = options.stdin ? channels.open(CHANNEL.stdin) : undefined;
  const resizes = pushIterable<TerminalSize>(RESIZES_WAITING_MAX);
  channels.open(CHANNEL.resize).on("data", (data: Buffer) => {
    const size = parseResize(data);
    if (size !== undefined) resizes.push(size);
  });
  webSocket.on("close", () => {
    resizes.end();
    gone.abort();
  });
  const stdout = options.stdout ? channels.output(CHANNEL.stdout) : undefined;
  const stderr = options.stderr && !options.tty ? channels.output(CHANNEL.stderr) : undefined;
  const error = channels.output(CHANNEL.error);
  // An empty message tells older clients that the connection stands.
  if (version < 5) (stdout ?? stderr ?? error).write(Buffer.alloc(0));
  return {
    ...(stdin !== undefined && { stdin }),
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
    resizes,
    signal: gone.signal,
    finish: async (outcome) => {
      forgetInput(stdin);
      await Promise.all([stdout, stderr].map(flushed));
      const status = finalStatus(outcome, version);
      if (status !== "") error.write(status);
      await flushed(error);
      webSocket.close(1000);
    },
  };
}

/** Ends an output, and resolves when the last of it has been sent. */
async function flushed(output: Writable | undefined): Promise<void> {
  if (output === undefined) return;
  output.end();
  await finished(output).catch(() => undefined);
}
