import { describe, expect, it } from "vitest";
import type { ConfigMap } from "../api/generated/core-v1.ts";
import { configMap as configMapKind } from "../api/index.ts";
import { admin, testServer } from "../apiserver/testServer.ts";
import { type Client, createClient } from "./client.ts";
import { type ReconcileResult, runController, watching } from "./controller.ts";
import { objectKey } from "./objectKey.ts";
import { createSharedInformers } from "./sharedInformers.ts";
import type { Transport } from "./transport.ts";
import { directTransport } from "./transports/direct.ts";

type Reconcile = (key: string, client: Client) => Promise<ReconcileResult>;

/** A controller of config maps, whose events come late by `lagMs`. */
async function start(reconcile: (informerSize: () => number) => Reconcile, lagMs = 0) {
  const server = testServer();
  const { env, clock } = server;
  const direct = directTransport(server.handle, admin);
  const transport: Transport = {
    ...direct,
    watch: async (request) => {
      const batches = await direct.watch(request);
      return (async function* () {
        for await (const batch of batches) {
          if (lagMs > 0) await clock.sleep(lagMs, request.signal);
          yield batch;
        }
      })();
    },
  };
  const client = createClient(transport, "test-controller");
  const informers = createSharedInformers({ env, client });
  const informer = informers.of<ConfigMap>(configMapKind);
  const controller = runController({
    name: "test",
    env,
    client,
    informers,
    watches: [watching<ConfigMap>(configMapKind, (object) => [objectKey(object)])],
    workers: 2,
    reconcile: reconcile(() => informer.size),
  });
  informers.start();
  await informers.synced();
  await clock.advance(0);
  const stop = async () => {
    await controller.stop();
    await informers.stop();
  };
  return { ...server, controller, stop };
}

const target = { namespace: "default", name: "seed" };

describe("a controller", () => {
  it("does not decide again before it has seen what it wrote", async () => {
    const sizes: number[] = [];
    const { client, clock, stop } = await start(
      (size) => async (key, tracked) => {
        if (key !== "default/seed") return;
        sizes.push(size());
        // Decides by what it sees: with a stale cache it would make far more than three.
        for (let missing = 4 - size(); missing > 0; missing--) {
          await tracked.create<ConfigMap>(configMapKind, { metadata: { generateName: "made-", namespace: "default" } });
        }
        return { requeueAfterMs: 10 };
      },
      500,
    );
    await client.create(configMapKind, { metadata: target });
    await clock.advance(10_000);
    expect((await client.list<ConfigMap>(configMapKind)).items).toHaveLength(4);
    expect(sizes.slice(0, 2)).toEqual([1, 4]);
    await stop();
  });

  it("waits for a deletion of its own to be seen", async () => {
    let tries = 0;
    const { client, clock, stop } = await start(
      () => async (_key, tracked) => {
        tries++;
        await tracked.delete(configMapKind, target);
        return { requeueAfterMs: 10 };
      },
      500,
    );
    await client.create(configMapKind, { metadata: target });
    await clock.advance(900);
    expect(tries).toBe(1);
    await stop();
  });

  it("tries again what failed, later each time, and at once when told of a change", async () => {
    const atMs: number[] = [];
    const { client, clock, stop } = await start(() => async () => {
      atMs.push(clock.monotonic());
      throw new Error("no");
    });
    await client.create(configMapKind, { metadata: target });
    await clock.advance(100);
    expect(atMs).toEqual([0, 5, 15, 35, 75]);
    await client.patch(configMapKind, target, "merge", { data: { a: "b" } });
    await clock.advance(1);
    expect(atMs.at(-1)).toBe(100);
    await stop();
  });

  it("never works on one key twice at a time, but on others meanwhile", async () => {
    const running = new Set<string>();
    const together: number[] = [];
    let isDoubled = false;
    const { client, clock, stop } = await start(() => async (key) => {
      isDoubled ||= running.has(key);
      running.add(key);
      together.push(running.size);
      await clock.sleep(1000);
      running.delete(key);
    });
    for (const name of ["a", "b", "c"])
      await client.create(configMapKind, { metadata: { name, namespace: "default" } });
    await clock.advance(500);
    await client.patch(configMapKind, { namespace: "default", name: "a" }, "merge", { data: { a: "b" } });
    await clock.advance(10_000);
    expect([isDoubled, Math.max(...together), together.length]).toEqual([false, 2, 4]);
    await stop();
  });
});
