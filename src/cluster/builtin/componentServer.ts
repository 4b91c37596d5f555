/**
 * How the node's agent shows components that run in the control-plane process as containers: over a Unix socket that only
 * root reaches. `GET /<component>` is its log since it began, and ends when it does (503: it does not run); `POST` restarts
 * it and answers when that is done.
 */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Log } from "../../lib/env.ts";
import type { ComponentLog } from "./componentLog.ts";

export interface ServedComponent {
  readonly log: ComponentLog;
  restart(): Promise<void>;
}

/** Resolves once it listens. A socket file that a dead process left behind is replaced. */
export async function serveComponents(
  path: string,
  components: Readonly<Record<string, ServedComponent>>,
  log: Log,
): Promise<Server> {
  const server = createServer((request, response) => {
    const component = components[`${request.url}`.slice(1)];
    if (component === undefined) response.writeHead(404).end();
    else if (request.method === "POST") restart(component, response, log);
    else follow(component, response);
  });
  server.requestTimeout = 0;
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  chmodSync(path, 0o600);
  return server;
}

function restart(component: ServedComponent, response: ServerResponse, log: Log): void {
  component.restart().then(
    () => response.writeHead(204).end(),
    (error: unknown) => {
      log.error("a component could not be restarted", { error });
      response.writeHead(500).end();
    },
  );
}

function follow({ log }: ServedComponent, response: ServerResponse): void {
  if (!log.follow(response)) {
    response.writeHead(503).end();
    return;
  }
  // At once, with the first line or without: it says that the component runs.
  response.flushHeaders();
  response.on("close", () => log.unfollow(response));
}
