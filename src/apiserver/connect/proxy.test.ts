import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { type Duplex, duplexPair, PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Pod, Service } from "../../api/generated/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import { createAuthority } from "../../pki/certificates.ts";
import type { Egress } from "./egress.ts";
import {
  type ProxyAddress,
  podAddress,
  proxyRequest,
  proxyUpgrade,
  serviceAddress,
  splitSchemeNamePort,
} from "./proxy.ts";

describe("what stands before /proxy", () => {
  const cases: [string, object][] = [
    ["web", { scheme: "http", name: "web", port: "" }],
    ["web:8080", { scheme: "http", name: "web", port: "8080" }],
    ["web:http", { scheme: "http", name: "web", port: "http" }],
    ["https:web:443", { scheme: "https", name: "web", port: "443" }],
    ["https:web:", { scheme: "https", name: "web", port: "" }],
    [":web:80", { scheme: "http", name: "web", port: "80" }],
  ];
  test.each(cases)("%s", (id, want) => expect(splitSchemeNamePort(id, "pod")).toEqual(want));
  test.each(["ftp:web:21", "a:b:c:d"])("%s is refused", (id) =>
    expect(() => splitSchemeNamePort(id, "service")).toThrow(`invalid service request "${id}"`),
  );
});

describe("a pod's address", () => {
  const pod = (podIP: string | undefined, ...ports: object[]) =>
    ({ spec: { containers: [{}, { ports }] }, status: { podIP } }) as unknown as Pod;
  const port = { name: "web", containerPort: 8080 };
  const cases: [name: string, pod: Pod, port: string, want: number][] = [
    ["its first port", pod("10.0.0.1", port, { containerPort: 9 }), "", 8080],
    ["80 when it names none", pod("10.0.0.1"), "", 80],
    ["any number", pod("10.0.0.1", port), "9090", 9090],
    ["a port by its name", pod("10.0.0.1", port), "web", 8080],
  ];
  test.each(cases)("%s", (_name, of, asked, want) => {
    expect(podAddress(of, asked)).toEqual({ host: "10.0.0.1", port: want });
  });
  test("is none before it has one, nor at a name that it does not know", () => {
    for (const podIP of [undefined, "", "127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "localhost"])
      expect(() => podAddress(pod(podIP), "")).toThrow("address not allowed");
    expect(() => podAddress(pod("10.0.0.1", port), "other")).toThrow('invalid port "other"');
  });
});

describe("a service's address", () => {
  const service = (...ports: object[]) => ({ metadata: { name: "web" }, spec: { ports } }) as unknown as Service;
  /** "a! b": a is not ready. */
  const slice = (hosts: string, ...ports: object[]) =>
    ({
      ports,
      endpoints: hosts.split(" ").map((host) => ({
        addresses: [host.replace("!", "")],
        conditions: { ready: !host.endsWith("!") },
      })),
    }) as unknown as EndpointSlice;
  const unnamed = service({ port: 80 });
  const named = service({ name: "http", port: 80 }, { name: "admin", port: 81 });
  const slices = [slice("a! b", { name: "http", port: 8080 }, { name: "admin", port: 8081 }), slice("c", { port: 1 })];
  const last = (below: number) => below - 1;
  const cases: [name: string, Service, EndpointSlice[], port: string, want: object][] = [
    ["a ready endpoint", unnamed, [slice("a b c!", { port: 8080 })], "", { host: "b", port: 8080 }],
    ["of the port by number", named, slices, "81", { host: "b", port: 8081 }],
    ["of the port by name", named, slices, "http", { host: "b", port: 8080 }],
    ["without a port: the one without a name", named, slices, "", { host: "c", port: 1 }],
  ];
  test.each(cases)("%s", (_name, of, from, port, want) => {
    expect(serviceAddress(of, from, port, last)).toEqual(want);
  });
  test("is none without endpoints, or for a port that it has not", () => {
    const none = 'no endpoints available for service "web"';
    expect(() => serviceAddress(unnamed, [], "", last)).toThrow(none);
    expect(() => serviceAddress(unnamed, [slice("a!", { port: 1 })], "80", last)).toThrow(none);
    expect(() => serviceAddress(named, slices, "nothing", last)).toThrow(none);
    expect(() => serviceAddress(named, slices, "82", last)).toThrow('no service port 82 found for service "web"');
  });
});

describe("a request", () => {
  let backend: Server;
  let address: ProxyAddress;
  const open = new Set<Duplex>();
  const egress: Egress = {
    kubelet: async () => {
      throw new Error("no kubelet here");
    },
    dial: (host, port) =>
      new Promise((resolve, reject) => {
        const socket = connect(port, host, () => resolve(socket));
        open.add(socket);
        socket.once("close", () => open.delete(socket));
        socket.on("error", reject);
      }),
  };
  const listen = async (server: Server) => {
    backend = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  };
  const answer = (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => {
    if (request.url === "/redirect") return void response.writeHead(302, { location: "/there" }).end();
    if (request.url === "/endless") return void response.write("begun");
    if (request.url === "/echo") {
      response.writeHead(200, { "set-cookie": ["a=1", "b=2"] });
      return void request.pipe(response);
    }
    if (request.url === "/no") return void response.writeHead(413).end();
    const page = '<a href="/x?a=1&amp;b=2">ä</a>';
    if (request.url === "/page") return void response.writeHead(200, { "content-type": "text/html; a=b" }).end(page);
    if (request.url === "/zipped") {
      response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" });
      return void response.end(gzipSync(page));
    }
    if (request.url === "/cut") return void response.socket?.destroy();
    void text(request).then((body) => {
      const { method, url, headers } = request;
      response.writeHead(201, { "content-type": "application/json", "keep-alive": "timeout=5", "x-own": "1" });
      response.end(JSON.stringify({ method, url, headers, body }));
    });
  };
  beforeEach(() => listen(createServer(answer)));
  afterEach(async () => {
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
  });

  const PREFIX = "/api/v1/namespaces/default/pods/web/proxy/";
  const send = (rest: string, more: Partial<ApiRequest> = {}) =>
    proxyRequest(address, { method: "GET", path: `${PREFIX}${rest}`, ...more } as ApiRequest, egress);
  const bodyOf = async (response: ApiResponse) => {
    if (response.type !== "stream") throw new Error(`not a stream but ${response.type}`);
    const whole = Buffer.concat(await Array.fromAsync(response.stream)).toString();
    return whole === "" ? undefined : JSON.parse(whole);
  };

  test("arrives as it was sent, but for credentials and what belongs to one hop", async () => {
    const headers = {
      ":method": "POST",
      authorization: "Bearer secret",
      "impersonate-user": "alice",
      "x-forwarded-for": "192.0.2.7",
      connection: "keep-alive, X-Mine",
      "x-mine": "1",
      cookie: "a=b",
      host: "127.0.0.1:6443",
      "content-length": "99",
      "content-type": "text/plain",
    };
    const rawQuery = "a=b&c=d%20e&f";
    const query = new URLSearchParams(rawQuery);
    const more = { query, rawQuery, remoteAddress: "127.0.0.1" };
    const response = await send("deep/path/", { method: "POST", headers, ...more, body: Buffer.from("hello") });
    expect(response).toMatchObject({ status: 201, contentType: "application/json", headers: { "x-own": "1" } });
    expect(response).not.toHaveProperty("headers.keep-alive");
    expect(await bodyOf(response)).toEqual({
      method: "POST",
      url: "/deep/path/?a=b&c=d%20e&f",
      headers: {
        connection: "close",
        cookie: "a=b",
        host: "127.0.0.1:6443",
        "content-length": "5",
        "content-type": "text/plain",
        "x-forwarded-for": "192.0.2.7, 127.0.0.1",
        "x-forwarded-uri": `${PREFIX}deep/path/`,
      },
      body: "hello",
    });
  });

  test("is passed on while it comes, and its answer while the request still comes", async () => {
    const bodyStream = new PassThrough();
    bodyStream.write("first");
    const response = await send("echo", { method: "POST", bodyStream });
    if (response.type !== "stream") throw new Error("not a stream");
    expect(response).toMatchObject({ contentType: "", headers: { "set-cookie": ["a=1", "b=2"] } });
    const chunks = response.stream[Symbol.asyncIterator]();
    expect(`${(await chunks.next()).value}`).toBe("first");
    bodyStream.end("second");
    expect(`${(await chunks.next()).value}`).toBe("second");
    expect((await chunks.next()).done).toBe(true);
  });

  test("of a known length has it, whatever the method", async () => {
    const headers = { "content-length": "5" };
    const sized = await send("x", { method: "GET", headers, bodyStream: Readable.from([Buffer.from("hello")]) });
    expect(await bodyOf(sized)).toMatchObject({ headers: { "content-length": "5" }, body: "hello" });
    const unsized = await send("x", { method: "DELETE", bodyStream: Readable.from([Buffer.from("hello")]) });
    expect(await bodyOf(unsized)).toMatchObject({ headers: { "transfer-encoding": "chunked" }, body: "hello" });
  });

  test("that is refused before it has ended is read to its end, so that the client hears of it", async () => {
    const bodyStream = new PassThrough();
    bodyStream.write("first");
    const response = await send("no", { method: "POST", bodyStream });
    expect(response).toMatchObject({ status: 413 });
    if (response.type === "stream") await Array.fromAsync(response.stream);
    await expect.poll(() => open.size).toBe(0);
    bodyStream.end(Buffer.alloc(1_000_000));
    await expect.poll(() => bodyStream.readableEnded).toBe(true);
  });

  test("whose body breaks off is broken off", async () => {
    const bodyStream = new PassThrough();
    const response = send("x", { method: "POST", bodyStream });
    bodyStream.destroy();
    await expect(response).rejects.toMatchObject({ code: 503 });
  });

  test("for a page gets its links led below the proxy, also when it is compressed", async () => {
    const want = `<a href="${PREFIX}x?a=1&amp;b=2">ä</a>`;
    for (const [path, decode] of [
      ["page", (bytes: Buffer) => bytes],
      ["zipped", gunzipSync],
    ] as const) {
      const response = await send(path);
      if (response.type !== "stream") throw new Error("not a stream");
      expect(decode(Buffer.concat(await Array.fromAsync(response.stream))).toString()).toBe(want);
    }
  });

  test("has its path as the client wrote it", async () => {
    for (const path of ["a%20b/%2F/c//", "//", "a;b=c,d/%E2%82%AC", "proxy/x"]) {
      expect(await bodyOf(await send(path))).toMatchObject({ url: `/${path}` });
    }
  });

  test("for the root without its slash is sent there", async () => {
    const path = PREFIX.slice(0, -1);
    expect(await send("", { path })).toMatchObject({ status: 301, headers: { location: PREFIX } });
    const query = new URLSearchParams("a=b");
    expect(await send("", { path, query })).toMatchObject({ headers: { location: `${PREFIX}?a=b` } });
    expect(await bodyOf(await send(""))).toMatchObject({ url: "/" });
    expect(await bodyOf(await send("", { path, method: "DELETE" }))).toMatchObject({ method: "DELETE", url: "/" });
  });

  test("that is redirected stays below the proxy", async () => {
    expect(await send("redirect")).toMatchObject({ status: 302, headers: { location: `${PREFIX}there` } });
  });

  test("to a server with TLS is secured, whatever its certificate", async () => {
    backend.close();
    const env = { clock: new VirtualClock(), random: seededRandom("proxy"), log: silentLog };
    const { certificate, key } = await createAuthority(env, "unknown");
    await listen(createTlsServer({ cert: certificate, key }, answer) as unknown as Server);
    address = { ...address, isTls: true };
    expect(await bodyOf(await send("x"))).toMatchObject({ url: "/x" });
  });

  test("whose client goes ends its connection", async () => {
    const gone = new AbortController();
    const response = await send("endless", { signal: gone.signal });
    expect(open.size).toBe(1);
    const body = response.type === "stream" ? Array.fromAsync(response.stream) : undefined;
    gone.abort();
    await expect(body).rejects.toThrow();
    await expect.poll(() => open.size).toBe(0);
  });

  test("that fails says where, in upstream's words", async () => {
    await expect(send("cut")).rejects.toMatchObject({
      code: 503,
      message: "error trying to reach service: socket hang up",
    });
    address = { host: "127.0.0.1", port: 1 };
    await expect(send("x")).rejects.toMatchObject({
      code: 503,
      message: expect.stringMatching(/^error trying to reach service: dial tcp 127.0.0.1:1: .*ECONNREFUSED/),
    });
  });

  test("for an upgrade is passed on byte by byte", async () => {
    const echo = createTcpServer((socket) => socket.once("data", (head: Buffer) => socket.end(`got\n${head}`)));
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const { port } = echo.address() as AddressInfo;
    const [client, socket] = duplexPair();
    const rawHeaders = ["Host", "x", "Authorization", "Bearer secret", "Upgrade", "websocket", "Cookie", "a=b"];
    const request = { method: "GET", url: `${PREFIX}w%0d%0as/?a=b`, rawHeaders, headers: { host: "x" } } as never;
    const upgrade = { request, socket, head: Buffer.from("early") };
    await proxyUpgrade({ host: "127.0.0.1", port }, egress, upgrade);
    expect(await text(client)).toBe(
      `got\nGET /w%0d%0as/?a=b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nCookie: a=b\r\n\r\nearly`,
    );
    echo.close();
  });

  test("for an upgrade whose client has gone meanwhile leaves nothing open", async () => {
    const [, socket] = duplexPair();
    socket.destroy();
    const request = { method: "GET", url: "/", rawHeaders: [], headers: {} } as never;
    await proxyUpgrade(address, egress, { request, socket, head: Buffer.alloc(0) });
    await expect.poll(() => open.size).toBe(0);
  });
});
