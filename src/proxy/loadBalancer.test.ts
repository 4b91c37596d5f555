import { describe, expect, it } from "vitest";
import { planLoadBalancers } from "./loadBalancer.ts";
import { service } from "./serviceNotation.ts";

/** "a", "b=.130" has an address, "c?.131" wishes for one; @n is its age: lower is older. */
function balancer(text: string) {
  const [, name = "", has, wish, age = "5"] = /^(\w+)(?:=([\d.]+))?(?:\?([\d.]+))?(?:@(\d))?$/.exec(text) ?? [];
  const full = (address: string) => (address.startsWith(".") ? `172.30.0${address}` : address);
  const made = service(
    `${name} 10.96.0.1 80`,
    { type: "LoadBalancer", ...(wish ? { loadBalancerIP: full(wish) } : {}) },
    has ? { loadBalancer: { ingress: [{ ip: full(has) }] } } : {},
  );
  return { ...made, metadata: { ...made.metadata, creationTimestamp: `2026-01-0${age}T00:00:00Z` } };
}

describe("load balancers' addresses", () => {
  const cases = [
    { name: "are the lowest that are free", services: "a b", want: "a=.129 b=.130" },
    { name: "go to the oldest first", services: "a@2 b@1", want: "b=.129 a=.130" },
    { name: "are kept", services: "a=.130 b", want: "a=.130 b=.129" },
    { name: "are the wished ones", services: "a?.140 b", want: "a=.140 b=.129" },
    { name: "are not given twice: who has it keeps it", services: "a?.130 b=.130", want: "b=.130", unserved: "a" },
    {
      name: "are not given twice: of two that have it the older keeps it",
      services: "a=.130@2 b=.130@1",
      want: "b=.130 a=.129",
    },
    { name: "change when the wish does", services: "a=.130?.131", want: "a=.131" },
    { name: "are replaced when the range is another", services: "a=10.0.0.1", want: "a=.129" },
    { name: "are refused outside the range", services: "a?10.0.0.1", want: "", unserved: "a" },
    { name: "run out", services: "a b c", range: "172.30.0.128/30", want: "a=.129 b=.130", unserved: "c" },
  ];
  it.each(cases)("$name: $services", ({ services, range = "172.30.0.128/25", want, unserved = "" }) => {
    const plan = planLoadBalancers(services.split(" ").map(balancer), range);
    const short = [...plan.addresses].map(([name, ip]) => `${name.split("/")[1]}=${ip.replace("172.30.0", "")}`);
    expect(short.join(" ")).toBe(want);
    expect(plan.unserved.map((name) => name.split("/")[1]).join(" ")).toBe(unserved);
  });

  it("go to no other type, and to no other class", () => {
    const other = [
      service("a 10.96.0.1 80@30000"),
      service("b 10.96.0.2 80", { type: "LoadBalancer", loadBalancerClass: "x/y" }),
    ];
    expect(planLoadBalancers(other, "172.30.0.128/25")).toEqual({ addresses: new Map(), unserved: [] });
  });
});
