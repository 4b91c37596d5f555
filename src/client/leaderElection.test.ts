import { describe, expect, it } from "vitest";
import type { Lease } from "../api/generated/coordination-v1.ts";
import { lease as leaseKind } from "../api/index.ts";
import { admin, testServer } from "../apiserver/testServer.ts";
import { createClient } from "./client.ts";
import { runLeaderElection } from "./leaderElection.ts";
import { directTransport } from "./transports/direct.ts";

function start() {
  const server = testServer();
  const events: string[] = [];
  const stand = (identity: string) => {
    const line = { isCut: false };
    const direct = directTransport(server.handle, admin);
    const request: typeof direct.request = async (asked) => {
      if (line.isCut) throw new Error("cut off");
      return direct.request(asked);
    };
    const candidate = runLeaderElection({
      env: server.env,
      client: createClient({ ...direct, request }, identity),
      namespace: "kube-system",
      name: "kube-scheduler",
      identity,
      onStartedLeading: () => events.push(`${identity} leads`),
      onStoppedLeading: () => events.push(`${identity} stops`),
    });
    return { ...candidate, line };
  };
  return { ...server, events, stand };
}

describe("candidates for one lease", () => {
  it("have one leader, and another when it gives up", async () => {
    const { stand, events, clock, client } = start();
    const first = stand("a");
    await clock.advance(1000);
    const second = stand("b");
    await clock.advance(60_000);
    expect(events).toEqual(["a leads"]);
    await first.stop();
    await clock.advance(6000);
    expect(events).toEqual(["a leads", "a stops", "b leads"]);
    const lease = await client.get<Lease>(leaseKind, { namespace: "kube-system", name: "kube-scheduler" });
    expect(lease.spec).toMatchObject({ holderIdentity: "b", leaseDurationSeconds: 15, leaseTransitions: 1 });
    await second.stop();
  });

  it("have another leader only after one that is cut off has stopped", async () => {
    const { stand, events, clock } = start();
    const first = stand("a");
    await clock.advance(1000);
    const second = stand("b");
    await clock.advance(10_000);
    first.line.isCut = true;
    await clock.advance(30_000);
    expect(events).toEqual(["a leads", "a stops", "b leads"]);
    await Promise.all([first.stop(), second.stop()]);
  });
});
