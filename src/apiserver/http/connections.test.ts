/** Connections that do not go as they should, over real sockets, with a handler that only answers. */
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2, constants } from "node:http2";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { ApiError } from "../../machinery/errors.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import { createAuthority, issueCertificate, type KeyPair } from "../../pki/certificates.ts";
import { createAuthenticator } from "../auth/authenticators.ts";
import { type HttpServer, type HttpServerOptions, startHttpServer } from "./server.ts";

const env = { clock: new VirtualClock(Date.now()), random: seededRandom("http"), log: silentLog };
let authority: KeyPair;
let serving: KeyPair;
let http: HttpServer;
let handled: ApiRequest[];
let upgraded: ApiRequest[];

beforeAll(async () => {
  authority = await createAuthority(env, "kubernetes");
  serving = await issueCertificate(env, authority, {
    commonName: "kube-apiserver",
    ips: ["127.0.0.1"],
    usages: ["server"],
  });
});

async function handle(request: ApiRequest): Promise<ApiResponse> {
  handled.push(request);
  if (request.path === "/chunks") {
    const chunks = Array.from({ length: 50 }, () => Buffer.alloc(64 * 1024, "x"));
    return { type: "object", status: 200, object: {}, bytes: () => chunks } as unknown as ApiResponse;
  }
  if (request.path === "/endless") {
    const stream = (async function* () {
      yield Buffer.from("begun");
      await new Promise((resolve) => request.signal?.addEventListener("abort", resolve));
      throw new Error("gone");
    })();
    return { type: "stream", status: 200, contentType: "text/plain", stream };
  }
  return { type: "bytes", status: 200, contentType: "text/plain", bytes: Buffer.from(`${request.method} answered`) };
}

const start = (more: Partial<HttpServerOptions> = {}) =>
  startHttpServer({
    env,
    tls: { certificate: serving.certificate, key: serving.key, clientAuthority: authority.certificate },
    handle,
    authenticate: createAuthenticator({}),
    upgrade: async (request) => {
      upgraded.push(request);
      throw new ApiError("BadRequest", "not here");
    },
    listen: [{ host: "127.0.0.1", port: 0 }],
    ...more,
  });

beforeEach(async () => {
  handled = [];
  upgraded = [];
  http = await start();
});
afterEach(() => http.close());

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly length: string | undefined;
  readonly auditId: string | undefined;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
afterAll(() => agent.destroy());

const send = (path: string, options: RequestOptions = {}, body?: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const all = { host: "127.0.0.1", port: http.ports[0], path, ca: authority.certificate, agent, ...options };
    const request = httpsRequest(all, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      const { "content-length": length, "audit-id": auditId } = response.headers;
      resolve({ status: response.statusCode, body: text, length, auditId: `${auditId}` });
    });
    request.on("error", reject);
    if (options.headers !== undefined && "expect" in options.headers) request.on("continue", () => request.end(body));
    else request.end(body);
  });

const overTls = async (): Promise<TLSSocket> => {
  const socket = connectTls({ host: "127.0.0.1", port: http.ports[0] as number, ca: authority.certificate });
  await once(socket, "secureConnect");
  return socket;
};

const said = async (socket: Socket): Promise<string> => {
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
};

test("a client that never finishes its handshake does not keep the server from closing", async () => {
  const silent = connectTcp(http.ports[0] as number, "127.0.0.1");
  await once(silent, "connect");
  // The server has seen the silent one before this one.
  const other = await overTls();
  const ended = Promise.all([silent, other].map((socket) => once(socket.resume(), "close")));
  await http.close();
  await ended;
}, 5_000);

test("HEAD has the length of the answer and no body, and the connection goes on", async () => {
  expect(await send("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "", length: "13" });
  expect(await send("/chunks", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  expect(await send("/")).toMatchObject({ status: 200, body: "GET answered" });
});

test("every answer has an Audit-Id, the client's own where it sends one", async () => {
  const { auditId } = await send("/");
  expect(auditId).toMatch(/^[0-9a-f-]{36}$/);
  expect((await send("/")).auditId).not.toBe(auditId);
  expect((await send("/", { headers: { "audit-id": "mine" } })).auditId).toBe("mine");
  expect((await send("/", { method: "POST" }, Buffer.alloc(4 * 2 ** 20))).auditId).toHaveLength(36);
});

test("a body that is too large is refused before it is sent, and the connection goes on", async () => {
  const body = Buffer.alloc(4 * 2 ** 20);
  expect(await send("/", { method: "POST" }, body)).toMatchObject({ status: 413 });
  expect(await send("/")).toMatchObject({ status: 200, body: "GET answered" });
  expect(handled).toHaveLength(1);
});

test("Expect: 100-continue is answered, over both protocols", async () => {
  const headers = { expect: "100-continue", "content-length": "4" };
  expect(await send("/", { method: "POST", headers }, Buffer.from("body"))).toMatchObject({ status: 200 });
  const session = connectHttp2(`https://127.0.0.1:${http.ports[0]}`, { ca: authority.certificate });
  const stream = session.request({ ...headers, [constants.HTTP2_HEADER_METHOD]: "POST" }, { endStream: false });
  await once(stream, "continue");
  stream.end("body");
  const [answer] = await once(stream, "response");
  expect(answer[":status"]).toBe(200);
  expect(handled.map(({ body }) => `${body}`)).toEqual(["body", "body"]);
  session.destroy();
});

test("a client that goes aborts its request", async () => {
  const socket = await overTls();
  socket.write("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n");
  await vi.waitFor(() => expect(handled).toHaveLength(1));
  socket.destroy();
  await vi.waitFor(() => expect(handled[0]?.signal?.aborted).toBe(true));
});

test("an upgrade is asked for with its own method, and a refusal ends the connection", async () => {
  const socket = await overTls();
  socket.write("POST /x?a=b HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n");
  expect(await said(socket)).toMatch(/^HTTP\/1.1 400 BadRequest\r\n[\s\S]*"message":"not here"/);
  expect(upgraded.map(({ method, path, query }) => `${method} ${path} ${query}`)).toEqual(["POST /x a=b"]);
});

test("what is no HTTP is told so", async () => {
  const socket = await overTls();
  socket.write("HELO there\r\n\r\n");
  expect(await said(socket)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
});

test("HTTP without TLS is told what is missing", async () => {
  const socket = connectTcp(http.ports[0] as number, "127.0.0.1");
  socket.write("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += chunk;
  expect(text).toBe("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
});

test("when one address is taken, none is listened on", async () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-http-"));
  const path = join(directory, "api.sock");
  const taken = { host: "127.0.0.1", port: http.ports[0] as number };
  await expect(start({ listen: [{ path }, taken] })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await vi.waitFor(() => expect(existsSync(path)).toBe(false));
  rmSync(directory, { recursive: true });
});
