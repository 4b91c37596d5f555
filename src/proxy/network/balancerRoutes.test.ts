import { describe, expect, it } from "vitest";
import { balancerRoutes, presentRoutes, routeScript } from "./balancerRoutes.ts";

/** "130>a 131>b": addresses and the nodes to which they lead. */
const NODES: Readonly<Record<string, { index: number; address: string }>> = {
  a: { index: 0, address: "172.30.1.10" },
  b: { index: 1, address: "172.30.1.11" },
};
const routes = (text: string) =>
  new Map(
    text
      .split(" ")
      .filter((one) => one !== "")
      .map((one) => one.split(">") as [string, string])
      .map(([last, node]) => [`172.30.1.${last}`, NODES[node] as (typeof NODES)[string]]),
  );
const gateways = (text: string) => new Map([...routes(text)].map(([address, node]) => [address, node.address]));

describe("routes of load balancers' addresses", () => {
  it.each([
    { name: "come", present: "", wanted: "130>b", want: ["replace 172.30.1.130/32 via 172.30.1.11 dev node1 onlink"] },
    { name: "stay", present: "130>b", wanted: "130>b", want: [] },
    {
      name: "move",
      present: "130>b",
      wanted: "130>a",
      want: ["replace 172.30.1.130/32 via 172.30.1.10 dev node0 onlink"],
    },
    { name: "go", present: "130>b 131>a", wanted: "131>a", want: ["delete 172.30.1.130/32"] },
  ])("$name", ({ present, wanted, want }) => {
    const script = routeScript(gateways(present), routes(wanted));
    expect(script).toBe(want.map((line) => `route ${line}\n`).join(""));
  });

  it("are found again: those of single addresses of the range", () => {
    const listing = JSON.stringify([
      { dst: "default", gateway: "172.30.1.1" },
      { dst: "172.30.1.128/25", gateway: "172.30.1.10" },
      { dst: "172.30.1.130", gateway: "172.30.1.11" },
      { dst: "172.30.1.10", dev: "node0" },
      { dst: "10.244.0.0/24", gateway: "172.30.1.10" },
    ]);
    expect([...presentRoutes(listing, "172.30.1.128/25")]).toEqual([["172.30.1.130", "172.30.1.11"]]);
  });

  it("are looked for again after a failure", async () => {
    const commands: string[] = [];
    let isBroken = true;
    const route = balancerRoutes({
      runDirectory: "/run/x",
      loadBalancerRange: "172.30.1.128/25",
      run: async (argv, stdin) => {
        commands.push(stdin ?? argv.slice(-2).join(" "));
        if (stdin !== undefined && isBroken) throw new Error("no");
        return stdin === undefined ? "[]" : "";
      },
    });
    await expect(route(routes("130>b"))).rejects.toThrow("no");
    isBroken = false;
    await route(routes("130>b"));
    await route(routes("130>b"));
    expect(commands.filter((one) => one === "-j route")).toHaveLength(2);
    expect(commands).toHaveLength(4);
  });
});
