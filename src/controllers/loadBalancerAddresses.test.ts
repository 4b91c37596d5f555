import { describe, expect, it } from "vitest";
import type { Service } from "../api/generated/core-v1.ts";
import { plan } from "./loadBalancerAddresses.ts";

/** "a" wants an address, "a=1" has 10.0.0.1, "a?1" asks for it, "a-" is a ClusterIP service, "a/x" has a class. */
function servicesFrom(text: string): readonly Service[] {
  return text.split(" ").map((word, index) => {
    const [, name = "", other, asked, held] = /^([a-z]+)(-|\/x)?(?:\?(\d+))?(?:=(\d+))?$/.exec(word) ?? [];
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: `2026-01-01T00:00:0${index}Z` },
      spec: {
        type: other === "-" ? "ClusterIP" : "LoadBalancer",
        ...(other === "/x" && { loadBalancerClass: "x" }),
        ...(asked !== undefined && { loadBalancerIP: `10.0.0.${asked}` }),
      },
      status: { loadBalancer: held === undefined ? {} : { ingress: [{ ip: `10.0.0.${held}` }] } },
    };
  });
}

const cases: { name: string; services: string; want: string }[] = [
  { name: "the lowest addresses go to the oldest", services: "a b", want: "a:1 b:2" },
  { name: "an address stays with who has it", services: "a b=1", want: "a:2" },
  { name: "one that is asked for is given", services: "a b?1", want: "a:1 !b" },
  { name: "one that is asked for and free is given", services: "a b?5", want: "a:1 b:5" },
  { name: "asking for another changes it", services: "a?3=1", want: "a:3" },
  { name: "one outside the range is not kept", services: "a=99", want: "a:1" },
  { name: "of two that have the same the older keeps it", services: "a=1 b=1", want: "b:2" },
  { name: "one that is no load balancer any more gives it back", services: "a-=1 b", want: "a: b:1" },
  { name: "a class of its own is left alone", services: "a/x b", want: "b:1" },
  { name: "says when nothing is left", services: "a b c d e f g", want: "a:1 b:2 c:3 d:4 e:5 f:6 !g" },
];

describe("load balancer addresses", () => {
  it.each(cases)("$name", ({ services, want }) => {
    const { changes, without } = plan(servicesFrom(services), "10.0.0.0/29");
    const given = changes.map(
      ({ service, ingress }) => `${service.metadata.name}:${ingress[0]?.ip?.split(".")[3] ?? ""}`,
    );
    expect([...given, ...without.map(({ metadata }) => `!${metadata.name}`)].join(" ")).toBe(want);
  });
});
