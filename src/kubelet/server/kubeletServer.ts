/**
 * The kubelet's HTTP API, without a listener of its own: whoever has a socket gives its requests here. Who may ask is
 * decided before. Source: kubelet server/server.go.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock, Log } from "../../lib/env.ts";
import { ApiError } from "../../machinery/errors.ts";
import { acceptPortForward } from "../../streams/portForward.ts";
import { refuseUpgrade } from "../../streams/refuseUpgrade.ts";
import { acceptRemoteCommand, streamOptions } from "../../streams/remoteCommand.ts";
import type { ContainerTarget, PodAccess } from "./podAccess.ts";
import type { LogOptions } from "./readLog.ts";
import type { Stats } from "./stats.ts";

export interface KubeletServerOptions {
  readonly access: PodAccess;
  readonly stats: Stats;
  readonly pods: () => readonly object[];
  readonly log: Log;
  readonly clock: Clock;
}

export interface KubeletServer {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

interface Route {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function routeOf({ url = "/" }: IncomingMessage): Route {
  try {
    const { pathname, searchParams } = new URL(url, "http://kubelet");
    return { parts: pathname.split("/").slice(1).map(decodeURIComponent), query: searchParams };
  } catch (cause) {
    throw new ApiError("BadRequest", `"${url}" is no path`, { cause });
  }
}

const number = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new ApiError("BadRequest", `invalid ${name}: ${text}`);
  return value;
};

const flag = (query: URLSearchParams, name: string): boolean => ["true", "1"].includes(query.get(name) ?? "");

function logOptions(query: URLSearchParams): LogOptions & { readonly previous: boolean } {
  const tailLines = number(query, "tailLines");
  const sinceSeconds = number(query, "sinceSeconds");
  const limitBytes = number(query, "limitBytes");
  const sinceTime = query.get("sinceTime");
  const stream = query.get("stream");
  return {
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceTime !== null && { sinceTime }),
    ...(stream !== null && { stream: stream as "All" | "Stdout" | "Stderr" }),
  };
}

/** With or without the pod's uid between its name and the container's. */
function containerTarget([, namespace = "", name = "", ...rest]: readonly string[]): ContainerTarget {
  return { namespace, name, container: rest.at(-1) ?? "" };
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const codeOf = (error: unknown): number => (error instanceof ApiError ? error.code : 500);

/** Source: kubelet cri/streaming/remotecommand, exec.go and attach.go. */
const STREAM_FAILED: Readonly<Record<string, string>> = {
  exec: "error executing command in container",
  attach: "error attaching to container",
};

export function createKubeletServer({ access, stats, pods, log, clock }: KubeletServerOptions): KubeletServer {
  const text = (response: ServerResponse, status: number, body: string, contentType = "text/plain; charset=utf-8") => {
    response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
    response.end(body);
  };
  const json = (response: ServerResponse, body: object) =>
    text(response, 200, JSON.stringify(body), "application/json");

  const logs = async ({ parts, query }: Route, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const lines = await access.logs({ ...containerTarget(parts), ...logOptions(query), signal: gone.signal });
    response.writeHead(200, { "content-type": "text/plain" });
    response.flushHeaders();
    await pipeline(Readable.from(lines, { objectMode: false }), response);
  };

  const answer = async (route: Route, response: ServerResponse): Promise<void> => {
    const { parts } = route;
    switch (parts[0]) {
      case "healthz":
        return text(response, 200, "ok");
      case "pods":
      case "runningpods":
        return json(response, { kind: "PodList", apiVersion: "v1", metadata: {}, items: pods() });
      case "containerLogs":
        return logs(route, response);
      case "stats":
        return json(response, await stats.summary());
      case "metrics":
        return text(response, 200, await stats.resourceMetrics(), "text/plain; version=0.0.4; charset=utf-8");
      default:
        return text(response, 404, "404 page not found\n");
    }
  };

  const remoteCommand = async (request: IncomingMessage, socket: Duplex, head: Buffer, route: Route): Promise<void> => {
    const { parts, query } = route;
    const options = streamOptions(query);
    // Source: remotecommand/httpstream.go NewOptions.
    if (!options.stdin && !options.stdout && !options.stderr)
      throw new ApiError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
    access.requireRunning(containerTarget(parts), parts[0] === "exec" ? "exec" : "attach");
    const streams = await acceptRemoteCommand(request, socket, head, options, clock);
    if (streams === undefined) return;
    const target = containerTarget(parts);
    const { stdin, stdout, stderr, resizes, signal } = streams;
    const channels = {
      tty: options.tty,
      resizes,
      signal,
      ...(stdin !== undefined && { stdin }),
      ...(stdout !== undefined && { stdout }),
      ...(stderr !== undefined && { stderr }),
    };
    try {
      if (parts[0] === "exec") {
        const exitCode = await access.exec({ ...target, ...channels, command: query.getAll("command") });
        await streams.finish({ exitCode });
      } else {
        await access.attach({ ...target, ...channels });
        await streams.finish({ exitCode: 0 });
      }
    } catch (error) {
      await streams.finish({ error: `${STREAM_FAILED[parts[0] ?? ""]}: ${textOf(error)}` });
    }
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const route = routeOf(request);
    const [verb, namespace = "", name = ""] = route.parts;
    if (verb === "exec" || verb === "attach") return remoteCommand(request, socket, head, route);
    if (verb !== "portForward") throw new ApiError("NotFound", "404 page not found");
    const ports = ["port", "ports"].flatMap((key) => route.query.getAll(key)).flatMap((list) => list.split(","));
    const dial = (port: number) => access.portForward({ namespace, name }, port);
    await acceptPortForward(request, socket, head, { dial, ports, clock });
  };

  return {
    handle(request, response) {
      // Within a promise, as a path that is none throws.
      Promise.resolve(request)
        .then((incoming) => answer(routeOf(incoming), response))
        .catch((error: unknown) => {
          if (response.headersSent) response.destroy();
          else text(response, codeOf(error), textOf(error));
        });
    },
    upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      upgrade(request, socket, head).catch((error: unknown) => {
        log.debug("a stream into a container was refused, or ended badly", { error });
        if (error instanceof ApiError) refuseUpgrade(socket, `${error.code} ${error.reason}`, error.message);
        else socket.destroy();
      });
    },
  };
}
