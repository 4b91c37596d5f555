/** Exec and attach over SPDY/3.1: one stream per channel, named by its `streamtype` header. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../lib/env.ts";
import { pushIterable } from "../lib/pushIterable.ts";
import {
  finalStatus,
  forgetInput,
  parseResize,
  type RemoteCommandStreams,
  type StreamOptions,
  type TerminalSize,
} from "./channels.ts";
import { acceptSpdyUpgrade, type SpdyConnection, type SpdyStream, spdyServer } from "./spdy.ts";

/** Best first. Source: apimachinery util/remotecommand/constants.go. v1 lacks the final status and is not offered. */
const PROTOCOLS = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io"];
const RESIZES_WAITING_MAX = 16;

/** Source: kubelet streaming.DefaultConfig, StreamCreationTimeout. */
const STREAMS_OPEN_WITHIN_MS = 30_000;

/** Resolves once the client has opened every stream that it asked for; undefined when it did not, or could not. */
export function acceptSpdyRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: StreamOptions,
  clock: Clock,
): Promise<RemoteCommandStreams | undefined> {
  return new Promise((resolve) => {
    const protocol = acceptSpdyUpgrade(request, socket, head, PROTOCOLS);
    if (protocol === undefined) return resolve(undefined);
    const version = Number(protocol[1]);
    const wanted = wantedStreams(options, version);
    const opened = new Map<string, SpdyStream>();
    const patience = clock.setTimer(STREAMS_OPEN_WITHIN_MS, () => socket.destroy());
    const connection = spdyServer(socket, (stream) => {
      opened.set(`${stream.headers.streamtype}`, stream);
      if (!wanted.every((name) => opened.has(name))) return;
      patience.cancel();
      resolve(serve(connection, socket, opened, options, version));
    });
    socket.once("close", () => {
      patience.cancel();
      resolve(undefined);
    });
  });
}

/** Terminal sizes come since v3. */
const wantedStreams = ({ stdin, stdout, stderr, tty }: StreamOptions, version: number) => [
  "error",
  ...(stdin ? ["stdin"] : []),
  ...(stdout ? ["stdout"] : []),
  ...(stderr && !tty ? ["stderr"] : []),
  ...(tty && version >= 3 ? ["resize"] : []),
];

function serve(
  connection: SpdyConnection,
  socket: Duplex,
  opened: ReadonlyMap<string, SpdyStream>,
  options: StreamOptions,
  version: number,
): RemoteCommandStreams {
  const gone = new AbortController();
  const resizes = pushIterable<TerminalSize>(RESIZES_WAITING_MAX);
  const stream = (name: string) => opened.get(name);
  stream("resize")?.on("data", (data: Buffer) => {
    for (const line of data.toString("utf8").split("\n")) {
      const size = parseResize(Buffer.from(line));
      if (size !== undefined) resizes.push(size);
    }
  });
  socket.once("close", () => {
    resizes.end();
    gone.abort();
  });
  const [stdin, stdout, stderr] = [stream("stdin"), stream("stdout"), stream("stderr")];
  return {
    ...(stdin !== undefined && { stdin }),
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && !options.tty && { stderr }),
    resizes,
    signal: gone.signal,
    finish: (outcome) =>
      new Promise((resolve) => {
        const done = () => {
          connection.end();
          resolve();
        };
        forgetInput(stdin);
        // One after the other on one connection: all output goes out before the status.
        for (const output of [stdout, stderr]) output?.end();
        const error = stream("error");
        if (error === undefined || socket.destroyed) return done();
        error.end(finalStatus(outcome, version), done);
      }),
  };
}
