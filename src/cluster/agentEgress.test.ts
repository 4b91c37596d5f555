/** The way into the nodes' networks, from the control plane's end to a server that an agent reaches. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { agentEgress } from "./agentEgress.ts";
import { serveAgent } from "./agentServer.ts";

const MEBIBYTES = 8;
let directory: string;
let agent: HttpServer;
let sockets: Map<string, string>;
const open = new Set<Server>();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "skiff-egress-"));
  sockets = new Map([["n1", join(directory, "agent.sock")]]);
  agent = await serveAgent(sockets.get("n1") as string, {
    handle: (request, response) => void response.end(`kubelet: ${request.url}`),
    upgrade: (_request, socket) => void socket.destroy(),
  });
});
afterEach(async () => {
  agent.closeAllConnections();
  const agentClosed = new Promise((resolve) => agent.close(resolve));
  for (const server of open) server.close();
  open.clear();
  // Nothing that was opened through it may be left.
  await agentClosed;
  rmSync(directory, { recursive: true });
});

/** A server inside the cluster. */
const serve = (onConnection: (socket: Socket) => void): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      onConnection(socket);
    });
    open.add(server);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });

/** All that the other end says until it ends; then this end ends as well. */
const heard = (stream: Duplex): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      resolve(Buffer.concat(chunks).toString());
      setImmediate(() => stream.end());
    });
    stream.on("error", reject);
  });

test("bytes and half-closes pass both ways", async () => {
  const port = await serve((socket) => void heard(socket).then((text) => socket.end(`you said ${text}`)));
  const connection = await agentEgress(sockets).dial("127.0.0.1", port);
  connection.end("hello");
  expect(await heard(connection)).toBe("you said hello");
});

test("all that a server says before it closes arrives, however slowly it is read", async () => {
  const port = await serve((socket) => {
    socket.end(Buffer.alloc(MEBIBYTES * 2 ** 20, "x"), () => socket.destroySoon());
  });
  const connection = await agentEgress(sockets).dial("127.0.0.1", port);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await heard(connection)).length).toBe(MEBIBYTES * 2 ** 20);
});

test("a refused port is said in Go's words", async () => {
  const port = await serve(() => undefined);
  for (const server of open) await new Promise((resolve) => server.close(resolve));
  await expect(agentEgress(sockets).dial("127.0.0.1", port)).rejects.toThrow(/^connect: connection refused$/);
});

test.each(["127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999", ":80", "[x]:80"])(
  "CONNECT to %s is refused, and the agent lives on",
  async (target) => {
    const request = httpRequest({ socketPath: sockets.get("n1"), method: "CONNECT", path: target });
    const status = await new Promise((resolve, reject) => {
      request.once("connect", (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      request.once("error", reject).end();
    });
    expect(status).toBe(502);
    const kubelet = await agentEgress(sockets).kubelet("n1");
    kubelet.write("GET /healthz HTTP/1.1\r\nhost: n1\r\nconnection: close\r\n\r\n");
    expect(await heard(kubelet)).toContain("kubelet: /healthz");
  },
);

test("a peer that vanishes takes its other side along, both ways", async () => {
  const accepted: Socket[] = [];
  const port = await serve((socket) => void accepted.push(socket));
  const egress = agentEgress(sockets);
  const [first, second] = [await egress.dial("127.0.0.1", port), await egress.dial("127.0.0.1", port)];
  await vi.waitFor(() => expect(accepted).toHaveLength(2));
  for (const stream of [...accepted, first, second]) stream.resume();
  first.destroy();
  await vi.waitFor(() => expect(accepted.filter(({ readableEnded }) => readableEnded)).toHaveLength(1));
  for (const socket of accepted) socket.resetAndDestroy();
  await vi.waitFor(() => expect(second.readableEnded).toBe(true));
  second.end();
});

test("a silent connection stays open as long as the agent lives", async () => {
  // A supervisor's: it says nothing, and its end is the agent's.
  expect([agent.headersTimeout, agent.requestTimeout, agent.timeout]).toEqual([0, 0, 0]);
  const silent = connect({ path: sockets.get("n1") as string });
  await new Promise((resolve) => silent.once("connect", resolve));
  agent.closeAllConnections();
  await new Promise((resolve) => silent.resume().once("close", resolve));
});

test("an address is dialled through another node when the first one's agent is not there", async () => {
  const port = await serve((socket) => socket.end("here"));
  const withDead = new Map([["n0", join(directory, "none.sock")], ...sockets]);
  expect(await heard(await agentEgress(withDead).dial("127.0.0.1", port))).toBe("here");
  await expect(agentEgress(withDead).kubelet("n0")).rejects.toThrow("ENOENT");
  await expect(agentEgress(withDead).kubelet("n9")).rejects.toThrow("node n9 is not one of this cluster's");
  await expect(agentEgress(new Map()).dial("127.0.0.1", port)).rejects.toThrow("this cluster has no nodes");
});

test("an agent that does not answer counts as gone", async () => {
  const path = join(directory, "deaf.sock");
  const deaf = createHttpServer();
  deaf.on("connect", () => undefined);
  await new Promise<void>((resolve) => deaf.listen(path, resolve));
  const dialled = agentEgress(new Map([["n1", path]]), { answerTimeoutMs: 50 }).dial("127.0.0.1", 1);
  await expect(dialled).rejects.toThrow("i/o timeout");
  deaf.close();
});
