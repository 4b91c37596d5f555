import { describe, expect, it } from "vitest";
import { silentLog } from "../lib/silentLog.ts";
import { healthPorts, PROXY_HEALTH_PORT } from "./healthPorts.ts";
import type { HealthAnswer } from "./serviceHealth.ts";
import { service, slice } from "./serviceNotation.ts";

function start(taken: readonly number[] = []) {
  const open = new Map<number, (path: string) => HealthAnswer | undefined>();
  const state = { isHealthy: true, lastUpdatedMs: 0, nowMs: 1_000 };
  const ports = healthPorts({
    nodeName: "a",
    state: () => state,
    log: silentLog,
    open: async (port, answer) => {
      if (taken.includes(port)) throw new Error("EADDRINUSE");
      open.set(port, answer);
      return { close: async () => void open.delete(port) };
    },
  });
  return { open, state, ports };
}

const balanced = (spec = {}) =>
  service("web 10.96.0.9 80", {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    healthCheckNodePort: 30_000,
    ...spec,
  });

describe("a node's health check ports", () => {
  it.each([
    { name: "say 200 with an endpoint here", slices: "web 8080 1.1.1.2@a 1.1.1.3@b", local: 1, status: 200 },
    { name: "say 503 without one", slices: "web 8080 1.1.1.3@b", local: 0, status: 503 },
    { name: "count no endpoint that is not ready", slices: "web 8080 1.1.1.2@a! 1.1.1.4@a~", local: 0, status: 503 },
    {
      name: "say 503 for a proxy that is behind",
      slices: "web 8080 1.1.1.2@a",
      local: 1,
      status: 503,
      isHealthy: false,
    },
  ])("$name", async ({ slices, local, status, isHealthy = true }) => {
    const { open, ports, state } = start();
    state.isHealthy = isHealthy;
    await ports.sync({ services: [balanced()], slices: [slice(slices)] });
    const answer = open.get(30_000)?.("/anything");
    expect(answer).toMatchObject({ status, headers: { "x-load-balancing-endpoint-weight": `${local}` } });
    expect(JSON.parse(answer?.body ?? "")).toEqual({
      service: { namespace: "default", name: "web" },
      localEndpoints: local,
      serviceProxyHealthy: isHealthy,
    });
  });

  it("come and go with Services that ask for them", async () => {
    const { open, ports } = start();
    await ports.sync({ services: [balanced()], slices: [] });
    expect([...open.keys()].sort()).toEqual([PROXY_HEALTH_PORT, 30_000]);
    await ports.sync({ services: [balanced({ externalTrafficPolicy: "Cluster" })], slices: [] });
    expect([...open.keys()]).toEqual([PROXY_HEALTH_PORT]);
    await ports.close();
    expect(open.size).toBe(0);
  });

  it("say how the proxy itself is", async () => {
    const { open, ports, state } = start();
    await ports.sync({ services: [], slices: [] });
    const ask = (path: string) => open.get(PROXY_HEALTH_PORT)?.(path);
    expect(ask("/healthz")).toMatchObject({
      status: 200,
      body: '{"lastUpdated":"1970-01-01T00:00:00.000Z","currentTime":"1970-01-01T00:00:01.000Z","nodeEligible":true}',
    });
    expect(ask("/else")).toBeUndefined();
    state.isHealthy = false;
    expect(ask("/livez")).toMatchObject({ status: 503 });
  });

  it("that are taken are tried again with the next change", async () => {
    const taken = [30_000];
    const { open, ports } = start(taken);
    await ports.sync({ services: [balanced()], slices: [] });
    expect([...open.keys()]).toEqual([PROXY_HEALTH_PORT]);
    taken.pop();
    await ports.sync({ services: [balanced()], slices: [] });
    expect([...open.keys()]).toEqual([PROXY_HEALTH_PORT, 30_000]);
    await ports.close();
    expect(open.size).toBe(0);
  });
});
