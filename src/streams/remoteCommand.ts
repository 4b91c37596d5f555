/** Exec and attach, server side: picks the framing that the client asks for. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../lib/env.ts";
import type { RemoteCommandStreams, StreamOptions } from "./channels.ts";
import { refuseUpgrade } from "./refuseUpgrade.ts";
import { isSpdyUpgrade } from "./spdy.ts";
import { acceptSpdyRemoteCommand } from "./spdyRemoteCommand.ts";
import { isWebSocketUpgrade } from "./webSocketChannels.ts";
import { acceptWebSocketRemoteCommand } from "./webSocketRemoteCommand.ts";

/** Undefined when there was no usable handshake; the socket has been answered and closed then. */
export async function acceptRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: StreamOptions,
  clock: Clock,
): Promise<RemoteCommandStreams | undefined> {
  if (isWebSocketUpgrade(request)) return acceptWebSocketRemoteCommand(request, socket, head, options);
  if (isSpdyUpgrade(request)) return acceptSpdyRemoteCommand(request, socket, head, options, clock);
  refuseUpgrade(socket, "400 Bad Request", "unable to upgrade: missing upgrade headers in request");
  return undefined;
}

const flag = (query: URLSearchParams, name: string) => ["1", "true"].includes(query.get(name) ?? "");

/** Reads both forms: the API's (`stdin=true`) and the kubelet's (`input=1`). */
export const streamOptions = (query: URLSearchParams): StreamOptions => ({
  stdin: flag(query, "stdin") || flag(query, "input"),
  stdout: flag(query, "stdout") || flag(query, "output"),
  stderr: flag(query, "stderr") || flag(query, "error"),
  tty: flag(query, "tty"),
});
