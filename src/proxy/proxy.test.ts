import { describe, expect, it } from "vitest";
import type { Env } from "../lib/env.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import { balancersWithEndpoints, type HostPort, hostPorts, nodesWithEndpoints, wantedHostPorts } from "./hostPorts.ts";
import { createProxy } from "./proxy.ts";
import type { ServiceRules } from "./rules.ts";
import { service, slice } from "./serviceNotation.ts";

const silent: Env["log"] = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const view = (...names: string[]) => ({ services: names.map((name) => service(`${name} 10.96.0.9 80`)), slices: [] });

function start(fail: () => boolean = () => false) {
  const clock = new VirtualClock(0);
  const applied: string[] = [];
  const proxy = createProxy({
    env: { clock, random: seededRandom("p"), log: silent },
    nodeName: "a",
    backend: {
      apply: async (rules: ServiceRules) => {
        if (fail()) throw new Error("nft said no");
        applied.push(`${clock.now()}:${[...rules.keys()].map((name) => name.split("/")[1])}`);
      },
      remove: async () => {},
    },
  });
  return { clock, applied, proxy };
}

describe("a node's proxy", () => {
  it("applies the first view at once, and what comes close together as one", async () => {
    const { clock, applied, proxy } = start();
    proxy.sync(view("a"));
    await clock.advance(5);
    for (const names of [["b"], ["b", "c"], ["b", "c", "d"]]) {
      proxy.sync(view(...names));
      await clock.advance(4);
    }
    await clock.advance(100);
    expect(applied).toEqual(["0:a", "25:b,c,d"]);
  });

  it("does nothing while nothing comes, and says that it is up to date", async () => {
    const { clock, applied, proxy } = start();
    expect(proxy.health().upToDate).toBe(false);
    proxy.sync(view("a"));
    await clock.advance(60_000);
    expect(applied).toEqual(["0:a"]);
    expect(proxy.health()).toEqual({ upToDate: true, lastSyncMs: 0 });
  });

  it("tries again, ever later, with the latest view", async () => {
    let broken = true;
    const { clock, applied, proxy } = start(() => broken);
    proxy.sync(view("a"));
    await clock.advance(250);
    expect(proxy.health()).toEqual({ upToDate: false, lastError: "Error: nft said no" });
    proxy.sync(view("b"));
    broken = false;
    await clock.advance(500);
    expect(applied).toEqual(["300:b"]);
    expect(proxy.health()).toEqual({ upToDate: true, lastSyncMs: 300 });
  });

  it("settles, and does nothing any more once it has been stopped", async () => {
    const { clock, applied, proxy } = start();
    proxy.sync(view("a"));
    const settled = proxy.settled();
    await clock.advance(0);
    await settled;
    await proxy.stop();
    proxy.sync(view("b"));
    await clock.advance(1_000);
    expect(applied).toEqual(["0:a"]);
  });
});

describe("node ports on the host's loopback", () => {
  const show = (ports: readonly HostPort[]) => ports.map(({ protocol, port }) => `${port}/${protocol}`).join(" ");

  it("are those of all services, each once", () => {
    const services = [service("a 10.96.0.1 80@30000 53/UDP@30000 81"), service("b 10.96.0.2 80@30000 7/SCTP@30007")];
    expect(show(wantedHostPorts(services))).toBe("30000/TCP 30000/UDP");
  });

  it.each([
    { name: "lead to any node", spec: {}, slices: "a 80 1.1.1.1@b", want: [] },
    {
      name: "lead to one with an endpoint, for Local",
      slices: "a 80 1.1.1.3@c 1.1.1.2@b 1.1.1.1@a!",
      want: ["TCP/30000 b"],
    },
    { name: "lead to one that still serves, for Local", slices: "a 80 1.1.1.3@c~ 1.1.1.2@b%", want: ["TCP/30000 c"] },
    { name: "lead to any node without endpoints, for Local", slices: "a 80", want: [] },
  ])("$name", ({ spec = { externalTrafficPolicy: "Local" }, slices, want }) => {
    const nodes = nodesWithEndpoints({
      services: [service("a 10.96.0.1 80@30000", spec)],
      slices: slices === "a 80" ? [] : [slice(slices)],
    });
    expect([...nodes].map((entry) => entry.join(" "))).toEqual(want);
  });

  it("lead with load balancers' addresses to a node with an endpoint, for Local", () => {
    const status = { loadBalancer: { ingress: [{ ip: "172.30.1.130" }] } };
    const nodesOf = (spec: object) => [
      ...balancersWithEndpoints({
        services: [service("a 10.96.0.1 80", { type: "LoadBalancer", ...spec }, status)],
        slices: [slice("a 80 1.1.1.3@c")],
      }),
    ];
    expect(nodesOf({ externalTrafficPolicy: "Local" })).toEqual([["172.30.1.130", "c"]]);
    expect(nodesOf({ externalTrafficPolicy: "Cluster" })).toEqual([]);
  });

  it("open and close as services come and go, and one that is taken is tried again", async () => {
    const events: string[] = [];
    let taken = true;
    const ports = hostPorts({
      log: silent,
      open: async ({ port }) => {
        if (port === 30_001 && taken) throw new Error("EADDRINUSE");
        events.push(`+${port}`);
        return { close: async () => void events.push(`-${port}`) };
      },
    });
    const sync = (line: string) => ports.sync({ services: [service(line)], slices: [] });
    await sync("a 10.96.0.1 80@30000 81@30001");
    taken = false;
    await sync("a 10.96.0.1 80@30000 81@30001");
    await sync("a 10.96.0.1 81@30001");
    await ports.close();
    expect(events).toEqual(["+30000", "+30001", "-30000", "-30001"]);
  });
});
