import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { requireRoot } from "../../lib/testCapabilities.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { OCI_INDEX, sha256 } from "./oci.ts";
import { pullImage } from "./pull.ts";
import { isLoopback } from "./registryClient.ts";
import { temporaryStore } from "./testing/temporaryStore.ts";
import { type TestImage, testImage } from "./testing/testImage.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry with one image `app:1`, behind `gate`, which answers itself when it gives true. */
async function registry(image: TestImage, gate: Handler = () => false): Promise<string> {
  const blobs = new Map(image.blobs);
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        { mediaType: "x", digest: sha256("other"), size: 1, platform: { os: "linux", architecture: "s390x" } },
        {
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          digest: image.manifestDigest,
          size: image.manifest.length,
          platform: { os: "linux", architecture: JSON.parse(image.config.toString()).architecture },
        },
      ],
    }),
  );
  blobs.set("1", index).set(sha256(index), index);
  const server = createServer((request, response) => {
    if (gate(request, response)) return;
    const [, kind, name = ""] = /^\/v2\/team\/app\/(manifests|blobs)\/(.+)$/.exec(request.url ?? "") ?? [];
    const blob = blobs.get(name);
    if (blob === undefined) return response.writeHead(404).end("{}");
    response.writeHead(200, kind === "manifests" ? { "content-type": name === "1" ? OCI_INDEX : "" } : {}).end(blob);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A clock whose sleeps end at once and are counted. */
function env() {
  const clock = new VirtualClock();
  const sleeps: number[] = [];
  clock.sleep = async (delayMs) => void sleeps.push(delayMs);
  return { env: { clock, random: seededRandom("pull"), log: silentLog }, sleeps };
}

const layers = [[{ name: "bin/run", content: "hello" }], [{ name: "etc/x" }]];
const refuse = (response: ServerResponse, status: number, headers = {}) => {
  response.writeHead(status, headers).end();
  return true;
};

describe.runIf(requireRoot())("pulling from a registry on loopback", () => {
  test("through an index, by platform, with compressed layers", async () => {
    const store = temporaryStore();
    const host = await registry(await testImage(layers, { compression: "gzip" }));
    const image = await pullImage({ store, name: `${host}/team/app:1`, credentials: [], env: env().env });
    expect(image.repoTags).toEqual([`${host}/team/app:1`]);
    expect(store.find(image.id)?.layers).toHaveLength(2);
  });

  test("by digest", async () => {
    const image = await testImage(layers);
    const name = `${await registry(image)}/team/app@${image.manifestDigest}`;
    const pulled = await pullImage({ store: temporaryStore(), name, credentials: [], env: env().env });
    expect([pulled.repoTags, pulled.repoDigests]).toEqual([[], [name]]);
  });

  test("with a bearer token for a user and password", async () => {
    const asked: (string | undefined)[] = [];
    const host = await registry(await testImage(layers), (request, response) => {
      if (request.url?.startsWith("/token")) {
        asked.push(request.headers.authorization, request.url);
        response.end(JSON.stringify({ token: "t0ken" }));
        return true;
      }
      if (request.headers.authorization === "Bearer t0ken") return false;
      const realm = `http://${request.headers.host}/token`;
      const challenge = `Bearer realm="${realm}",service="reg",scope="repository:team/app:pull"`;
      return refuse(response, 401, { "www-authenticate": challenge });
    });
    const credentials = [{ registry: host, username: "me", password: "secret" }];
    await pullImage({ store: temporaryStore(), name: `${host}/team/app:1`, credentials, env: env().env });
    expect(asked[0]).toBe(`Basic ${Buffer.from("me:secret").toString("base64")}`);
    expect(asked[1]).toBe("/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull");
  });

  test("with basic authentication", async () => {
    const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    const host = await registry(await testImage(layers), ({ headers }, response) =>
      headers.authorization === basic ? false : refuse(response, 401, { "www-authenticate": 'Basic realm="r"' }),
    );
    const credentials = [{ registry: host, username: "me", password: "secret" }];
    await pullImage({ store: temporaryStore(), name: `${host}/team/app:1`, credentials, env: env().env });
    const without = pullImage({ store: temporaryStore(), name: `${host}/team/app:1`, credentials: [], env: env().env });
    await expect(without).rejects.toThrow("pull access denied");
  });

  test("a passing failure is tried again", async () => {
    let failures = 2;
    const host = await registry(await testImage(layers), (_, response) => failures-- > 0 && refuse(response, 503));
    const { env: world, sleeps } = env();
    await pullImage({ store: temporaryStore(), name: `${host}/team/app:1`, credentials: [], env: world });
    expect(sleeps).toEqual([500, 1000]);
  });

  const failures = [
    { name: "an image that is not there", path: "team/none:1", gate: undefined, message: /team\/none:1: not found/ },
    {
      name: "a blob that is not what its digest says",
      path: "team/app:1",
      gate: ({ url }: IncomingMessage, response: ServerResponse) =>
        (url ?? "").includes("/blobs/") && !response.end("junk").writableFinished,
      message: /content does not match its digest/,
    },
  ];
  test.each(failures)("$name is told", async ({ path, gate, message }) => {
    const store = temporaryStore();
    const name = `${await registry(await testImage(layers), gate)}/${path}`;
    const pulled = pullImage({ store, name, credentials: [], env: env().env });
    await expect(pulled).rejects.toThrow(`failed to pull and unpack image "${name}"`);
    await expect(pulled).rejects.toThrow(message);
    expect(store.list()).toEqual([]);
  });

  test("a registry that nobody serves is told", async () => {
    const pulled = pullImage({ store: temporaryStore(), name: "127.0.0.1:2/app:1", credentials: [], env: env().env });
    await expect(pulled).rejects.toThrow(
      'failed to resolve reference "127.0.0.1:2/app:1": failed to do request: Head "http://127.0.0.1:2/v2/app/manifests/1": dial tcp 127.0.0.1:2: connect: connection refused',
    );
  });
});

test.each([
  ["localhost:5000", true],
  ["127.0.0.1", true],
  ["127.1.2.3:80", true],
  ["[::1]:5000", true],
  ["registry.example", false],
  ["127.0.0.1.example", false],
])("plain HTTP for %s: %s", (host, plain) => expect(isLoopback(host)).toBe(plain));
