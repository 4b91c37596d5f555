import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { configMap } from "../../api/index.ts";
import type { HttpServer } from "../../apiserver/http/server.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { createSigningKey, createTokenSigner } from "../../pki/serviceAccountTokens.ts";
import { memoryStorage } from "../../storage/engines/memory.ts";
import type { Storage } from "../../storage/storage.ts";
import { ADMIN, createControlPlane } from "../controlPlane.ts";
import { realClock, realRandom } from "../realEnv.ts";
import { simulatedEgress } from "../simulatedNodes.ts";
import type { ComponentName } from "./builtinImages.ts";
import { type CurrentControlPlane, createControlPlaneComponents } from "./controlPlaneComponents.ts";

const env = { clock: realClock, random: realRandom, log: silentLog };
const signer = createTokenSigner(env, { issuer: "https://kubernetes", signingKey: createSigningKey() });

/** A control plane in memory, whose front is what the components hand to the HTTPS server. */
async function start() {
  const logsDirectory = mkdtempSync(join(tmpdir(), "skiff-components-"));
  onTestFinished(() => rmSync(logsDirectory, { recursive: true }));
  const failures: unknown[] = [];
  let current: CurrentControlPlane | undefined;
  let beside = 0;
  // What a file would keep lives here as long as the test; closing and opening it again changes nothing.
  const disk = memoryStorage({ env });
  const opened: Storage[] = [];
  const components = createControlPlaneComponents({
    env,
    logsDirectory,
    openStore: async () => {
      const storage = new Proxy(disk, {
        get: (target, key) => {
          if (key === "close") return async () => undefined;
          const value = Reflect.get(target, key);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      opened.push(storage);
      return storage;
    },
    failed: (error) => failures.push(error),
  });
  await components.openStore();
  await components.serve({
    createControlPlane: (own, storage, logs) =>
      createControlPlane({
        env: own,
        logs,
        storage,
        egress: simulatedEgress(new Map()),
        tokenSigner: signer,
        rootCa: "CA",
        apiServer: { address: "192.0.2.1", port: 6443, serviceAddress: "10.96.0.1" },
        serviceCidr: "10.96.0.0/16",
        loadBalancerRange: "198.51.100.0/24",
        descriptions: () => ({}),
      }),
    listen: async (_env, given): Promise<HttpServer> => {
      current = given;
      return { ports: [], close: async () => undefined };
    },
    startBeside: () => {
      beside++;
      return {
        stop: async () => {
          beside--;
        },
      };
    },
  });
  components.start();
  onTestFinished(() => components.stop());
  const client = async () => (await (current as CurrentControlPlane)()).client(ADMIN, "test");
  const messages = (name: ComponentName) =>
    readFileSync(join(logsDirectory, `${name}.log`), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line).msg)
      .filter((message) => message === "begins" || message === "ends");
  return { components, client, messages, opened, failures, beside: () => beside };
}

const ONCE = ["begins"];
const RESTARTED = ["begins", "ends", "begins"];

const cases: readonly { readonly restart: ComponentName; readonly restarted: readonly ComponentName[] }[] = [
  { restart: "kube-scheduler", restarted: ["kube-scheduler"] },
  { restart: "kube-controller-manager", restarted: ["kube-controller-manager"] },
  { restart: "kube-apiserver", restarted: ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] },
  { restart: "etcd", restarted: ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] },
];

for (const { restart, restarted } of cases) {
  test(`restarting ${restart} restarts ${restarted.join(", ")}, and nothing is lost`, async () => {
    const { components, client, messages, opened, failures, beside } = await start();
    await (await client()).create(configMap, { metadata: { name: "kept", namespace: "default" } });
    await components.served[restart].restart();
    const names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
    expect(Object.fromEntries(names.map((name) => [name, messages(name)]))).toEqual(
      Object.fromEntries(names.map((name) => [name, restarted.includes(name) ? RESTARTED : ONCE])),
    );
    const found = await (await client()).get(configMap, { name: "kept", namespace: "default" });
    expect([found.metadata.name, opened.length, beside(), failures]).toEqual([
      "kept",
      restart === "etcd" ? 2 : 1,
      1,
      [],
    ]);
  });
}

test("requests during a restart wait for the next API server", async () => {
  const { components, client } = await start();
  const restarting = components.served["kube-apiserver"].restart();
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await realClock.sleep(index / 2);
      return (await client()).create(configMap, { metadata: { name: `c${index}`, namespace: "default" } });
    }),
  );
  await restarting;
  expect(answers.map(({ metadata }) => metadata.name)).toEqual(Array.from({ length: 20 }, (_, index) => `c${index}`));
});

test("restarts asked for at once come one after the other", async () => {
  const { components, messages } = await start();
  await Promise.all([
    components.served["kube-scheduler"].restart(),
    components.served["kube-apiserver"].restart(),
    components.served["kube-scheduler"].restart(),
  ]);
  expect(messages("kube-scheduler")).toEqual(["begins", "ends", "begins", "ends", "begins", "ends", "begins"]);
});
