import type { IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { connect as tlsConnect } from "node:tls";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Transport } from "../../client/transport.ts";
import { directTransport } from "../../client/transports/direct.ts";
import { httpsTransport } from "../../client/transports/https.ts";
import type { Env } from "../../lib/env.ts";
import { createAuthority, issueCertificate, type KeyPair } from "../../pki/certificates.ts";
import { createAuthenticator } from "../auth/authenticators.ts";
import { admin, testServer } from "../testServer.ts";
import { type HttpServer, startHttpServer } from "./server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const JSON_BODY = { "content-type": "application/json" };

const server = testServer();
/** Certificates are checked against the time of the machine. */
const env: Env = { ...server.env, clock: { ...server.clock, now: () => Date.now() } as Env["clock"] };
let authority: KeyPair;
let http: HttpServer;
let https: Transport;
let clientCertificate: KeyPair;

beforeAll(async () => {
  authority = await createAuthority(env, "kubernetes");
  const own = {
    commonName: "kube-apiserver",
    dnsNames: ["localhost"],
    ips: ["127.0.0.1"],
    usages: ["server"] as const,
  };
  const serving = await issueCertificate(env, authority, own);
  clientCertificate = await issueCertificate(env, authority, {
    commonName: admin.name,
    organizations: ["system:masters"],
    usages: ["client"],
  });
  http = await startHttpServer({
    env: server.env,
    tls: { certificate: serving.certificate, key: serving.key, clientAuthority: authority.certificate },
    handle: server.handle,
    authenticate: createAuthenticator({}),
    listen: [{ host: "127.0.0.1", port: 0 }],
  });
  const url = `https://127.0.0.1:${http.ports[0]}`;
  https = httpsTransport({ server: url, ca: authority.certificate, clientCertificate });
  for (let index = 0; index < 200; index += 1) {
    await server.send("POST", "/api/v1/namespaces/large/configmaps", {
      metadata: { name: `m${index}` },
      data: { a: "x".repeat(3000) },
    });
  }
});
afterAll(async () => {
  await https.close();
  await http.close();
  await server.close();
});

const transports: [name: string, get: () => Transport][] = [
  ["direct", () => directTransport(server.handle, admin)],
  ["https", () => https],
];

describe.each(transports)("the %s transport", (name, transport) => {
  it("creates, reads and deletes", async () => {
    const { request } = transport();
    const created = await request({ method: "POST", path: MAPS, headers: JSON_BODY, body: { metadata: { name } } });
    expect(created).toMatchObject({ status: 201, body: { kind: "ConfigMap", metadata: { name } } });
    expect((await request({ method: "GET", path: `${MAPS}/${name}` })).body).toEqual(created.body);
    expect((await request({ method: "DELETE", path: `${MAPS}/${name}` })).body).toMatchObject({ status: "Success" });
  });

  it("throws the server's error", async () => {
    const missing = transport().request({ method: "GET", path: `${MAPS}/none` });
    await expect(missing).rejects.toMatchObject({ reason: "NotFound", message: 'configmaps "none" not found' });
  });

  it("reads a long list whole", async () => {
    const { body } = await transport().request({ method: "GET", path: "/api/v1/namespaces/large/configmaps" });
    expect((body as { items: unknown[] }).items.length).toBe(200);
  });

  it("watches until it is told to stop", async () => {
    const stop = new AbortController();
    const query = new URLSearchParams({ watch: "1" });
    const events = await transport().watch({ method: "GET", path: MAPS, query, signal: stop.signal });
    await server.send("POST", MAPS, { metadata: { name: `${name}-watched` } });
    const seen: string[] = [];
    try {
      for await (const batch of events) {
        seen.push(...batch.map(({ type, object }) => `${type} ${object.metadata.name}`));
        if (seen.includes(`ADDED ${name}-watched`)) stop.abort();
      }
    } catch (error) {
      expect(stop.signal.aborted, String(error)).toBe(true);
    }
    expect(seen).toContain(`ADDED ${name}-watched`);
  });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One request over HTTP/1.1, without a client certificate. */
const http1 = (path: string, { method = "GET", headers = {}, body = "" } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port: http.ports[0],
      path,
      method,
      headers,
      ca: authority.certificate,
      agent: false,
    };
    const request = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    request.on("error", reject);
    request.end(body);
  });

describe("HTTP/2", () => {
  it("takes a long path and many headers", async () => {
    const session = connect(`https://127.0.0.1:${http.ports[0]}`, { ca: authority.certificate });
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, "y"]));
    const stream = session.request({ ":path": `/version?a=${"x".repeat(50_000)}`, ...many });
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("error", reject);
    });
    session.destroy();
    // Read, and refused to who shows nothing.
    expect(headers[":status"]).toBe(403);
  });
});

describe("a long answer", () => {
  const LARGE = "/api/v1/namespaces/large/configmaps";
  const bytesOf = async (encoding: string) =>
    Buffer.concat(
      await Array.fromAsync(
        await https.stream({ method: "GET", path: LARGE, headers: { "accept-encoding": encoding } }),
      ),
    );

  it.each([
    ["is compressed for who takes that", "deflate, gzip", true],
    ["is not for others", "identity", false],
    ["is not for who would rather not have it", "gzip;q=0", false],
  ])("%s", async (_, encoding, isCompressed) => {
    const bytes = await bytesOf(encoding);
    expect(bytes.readUInt16BE() === 0x1f8b).toBe(isCompressed);
    const body = JSON.parse(`${isCompressed ? gunzipSync(bytes) : bytes}`);
    expect(body.items).toHaveLength(200);
  });
});

describe("a watcher that does not read", () => {
  it("is cut off", async () => {
    const request = httpsRequest({
      host: "127.0.0.1",
      port: http.ports[0],
      path: `${MAPS}?watch=1`,
      ca: authority.certificate,
      cert: clientCertificate.certificate,
      key: clientCertificate.key,
      agent: false,
    });
    const response = await new Promise<IncomingMessage>((resolve) => request.on("response", resolve).end());
    response.pause();
    const ended = new Promise((resolve) => response.once("error", resolve));
    await server.send("POST", MAPS, { metadata: { name: "slow" } });
    const data = { a: "x".repeat(2 ** 20 - 100) };
    for (let index = 0; index < 80; index += 1) {
      await server.send("PUT", `${MAPS}/slow`, { metadata: { name: "slow", labels: { index: `${index}` } }, data });
    }
    // What the machine's buffers took in before is still to be read.
    response.resume();
    expect(await ended).toMatchObject({ code: "ECONNRESET" });
  });
});

describe("HTTP/1.1", () => {
  it("takes who shows nothing for anonymous", async () => {
    const { status, body } = await http1(MAPS);
    expect(status).toBe(403);
    expect(JSON.parse(body).message).toContain('User "system:anonymous" cannot list resource "configmaps"');
  });

  it("refuses a token that nobody knows", async () => {
    const { status, body } = await http1(MAPS, { headers: { authorization: "Bearer x" } });
    expect(status).toBe(401);
    expect(JSON.parse(body)).toMatchObject({ kind: "Status", reason: "Unauthorized", message: "Unauthorized" });
  });

  it("takes a selector of half a megabyte", async () => {
    const { body } = await http1(`/version?labelSelector=${"x".repeat(500_000)}`);
    expect(body).toContain("system:anonymous");
  });

  it("answers what is no HTTP", async () => {
    const socket = tlsConnect({ host: "127.0.0.1", port: http.ports[0], ca: authority.certificate });
    socket.end("GIVE /version\r\n\r\n");
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*\r\n\r\n400 Bad Request$/);
  });

  it("refuses a body of more than three mebibytes", async () => {
    const { status, body } = await http1(MAPS, { method: "POST", body: "x".repeat(3 * 1024 * 1024 + 1) });
    expect(status).toBe(413);
    expect(JSON.parse(body).message).toBe("Request entity too large: limit is 3145728");
  });
});
