import { describe, expect, it } from "vitest";
import type { ConfigMap, Event } from "../api/generated/core-v1.ts";
import { configMap as configMapKind, event as eventKind } from "../api/index.ts";
import { testServer } from "../apiserver/testServer.ts";
import { createRecorder } from "./recorder.ts";

async function start() {
  const server = testServer();
  const { client, env } = server;
  const recorder = createRecorder({ env, client, component: "tester", host: "n1" });
  const about = await client.create<ConfigMap>(configMapKind, { metadata: { name: "a", namespace: "default" } });
  const events = async () => {
    await recorder.flush();
    return (await client.list<Event>(eventKind)).items;
  };
  return { ...server, recorder, about, events };
}

describe("a recorder", () => {
  it("writes who said what about whom", async () => {
    const { recorder, about, events } = await start();
    recorder.event(about, "Normal", "Made", "It was made.");
    expect((await events())[0]).toMatchObject({
      metadata: { name: expect.stringMatching(/^a\.[0-9a-f]{16}$/), namespace: "default" },
      involvedObject: { apiVersion: "v1", kind: "ConfigMap", name: "a", namespace: "default", uid: about.metadata.uid },
      type: "Normal",
      reason: "Made",
      message: "It was made.",
      count: 1,
      source: { component: "tester", host: "n1" },
      reportingComponent: "tester",
      reportingInstance: "n1",
      firstTimestamp: "2026-01-01T00:00:00Z",
    });
  });

  it("counts what is said again, also when it is said in one breath", async () => {
    const { recorder, about, events, clock } = await start();
    for (let time = 0; time < 3; time++) recorder.event(about, "Warning", "BackOff", "again");
    await events();
    await clock.advance(60_000);
    recorder.event(about, "Warning", "BackOff", "again");
    const all = await events();
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({
      count: 4,
      firstTimestamp: "2026-01-01T00:00:00Z",
      lastTimestamp: "2026-01-01T00:01:00Z",
    });
  });

  it("names the events of a moment in the order in which they happened, whoever tells them", async () => {
    const { recorder, about, events, env, client } = await start();
    const other = createRecorder({ env, client, component: "other" });
    const reasons = ["Scheduled", "Pulling", "Pulled", "Created", "Started", "Unhealthy", "Killing", "BackOff"];
    for (const [index, reason] of reasons.entries()) {
      (index % 2 === 0 ? recorder : other).event(about, "Normal", reason, "m");
    }
    await other.flush();
    const named = (await events()).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    expect(named.map(({ reason }) => reason)).toEqual(reasons);
  });

  it("begins anew when the event has gone", async () => {
    const { recorder, about, events, client } = await start();
    recorder.event(about, "Normal", "R", "m");
    const [first] = await events();
    await client.delete(eventKind, { namespace: "default", name: first?.metadata.name ?? "" });
    recorder.event(about, "Normal", "R", "m");
    expect((await events()).map(({ count }) => count)).toEqual([1]);
  });

  it("drops what may not be written, and goes on", async () => {
    const { recorder, about, events } = await start();
    recorder.event({ ...about, metadata: { ...about.metadata, namespace: "Not-A-Name" } }, "Normal", "R", "bad");
    recorder.event(about, "Normal", "R", "good");
    expect((await events()).map(({ message }) => message)).toEqual(["good"]);
  });
});
