import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import type { ApiResponse, WatchStream } from "../../machinery/requests.ts";
import { createAuthority, issueCertificate, type KeyPair } from "../../pki/certificates.ts";
import { directTransport } from "./direct.ts";
import { httpsTransport } from "./https.ts";

const user = { name: "u", groups: [] };
const request = { method: "GET", path: "/api/v1/pods" } as const;

describe("within the process", () => {
  test("nothing is asked for somebody who has gone already", async () => {
    let asked = 0;
    const transport = directTransport(async () => {
      asked++;
      return { type: "bytes", status: 200, contentType: "text/plain", bytes: new Uint8Array() };
    }, user);
    await expect(transport.request({ ...request, signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow(
      "gone",
    );
    expect(asked).toBe(0);
  });

  test("a watch whose reader goes before the first event ends", async () => {
    const { promise: ended, resolve: close } = Promise.withResolvers<undefined>();
    const events: WatchStream = { next: () => ended, close: () => close(undefined) };
    const response: ApiResponse = { type: "watch", status: 200, contentType: "application/json", events };
    const gone = new AbortController();
    const watch = await directTransport(async () => response, user).watch({ ...request, signal: gone.signal });
    gone.abort();
    expect(await Array.fromAsync(watch)).toEqual([]);
  });
});

describe("over TLS", () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-transport-"));
  const socketPath = join(directory, "api.sock");
  let server: Http2SecureServer;
  let authority: KeyPair;
  beforeAll(async () => {
    const env = { clock: new VirtualClock(Date.now()), random: seededRandom("transport"), log: silentLog };
    authority = await createAuthority(env, "kubernetes");
    const { certificate, key } = await issueCertificate(env, authority, {
      commonName: "kube-apiserver",
      dnsNames: ["localhost"],
      ips: ["fd00::1"],
      usages: ["server"],
    });
    server = createSecureServer({ cert: certificate, key }, (_, response) => void response.end("ok"));
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  });
  afterAll(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  test("a server may be known by an address of IPv6", async () => {
    const transport = httpsTransport({ server: "https://[fd00::1]:6443", socketPath, ca: authority.certificate });
    expect((await transport.request(request)).body).toBe("ok");
    await transport.close();
  });

  test("a request that cannot be sent does not keep a program alive", async () => {
    const program = join(directory, "program.ts");
    const options = JSON.stringify({ server: "https://localhost", socketPath, ca: authority.certificate });
    writeFileSync(
      program,
      `import { httpsTransport } from ${JSON.stringify(join(import.meta.dirname, "https.ts"))};
const transport = httpsTransport(${options});
await transport.request(${JSON.stringify(request)});
const bad = { ...${JSON.stringify(request)}, headers: { connection: "close" } };
await transport.request(bad).then(() => console.log("sent"), (error) => console.log(error.code));
`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 10_000 });
    expect(stdout).toBe("ERR_HTTP2_INVALID_CONNECTION_HEADERS\n");
  });
});
