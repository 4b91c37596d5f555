import { describe, expect, it } from "vitest";
import { ruleCache } from "../ruleCache.ts";
import { service, slice } from "../serviceNotation.ts";
import { staleAffinities, touchesAffinities } from "./affinity.ts";
import { staleUdpEntries } from "./conntrack.ts";
import { difference, type Elements, NO_ELEMENTS, toElements } from "./elements.ts";
import { deltaScript, loadScript } from "./script.ts";
import { assignSlots } from "./slots.ts";

const CONFIG = { nodeIP: "172.30.0.10", podCidr: "10.244.0.0/16" };
const NODE_ADDRESSES = ["172.30.0.10"];
type Given = readonly [ReturnType<typeof service>[], string[]];

/** Elements of one view after another, as one backend would see them. */
function history(...views: Given[]): Elements[] {
  const rules = ruleCache("a");
  const states: Elements[] = [];
  for (const [services, slices] of views) {
    const view = { services, slices: slices.map((line, index) => slice(line, `${index}`)) };
    states.push(toElements(rules(view), NODE_ADDRESSES, states.at(-1)));
  }
  return states;
}

const show = (elements: Elements): string[] =>
  [...elements.elements.values()].map(({ set, key, value }) => `${set} ${key}${value && ` : ${value}`}`);

describe("the elements of one service", () => {
  const web = "web 10.96.0.9 80";
  const two = "web 8080 1.1.1.2@a 1.1.1.3@b";
  const cases: { name: string; given: Given; want: string[] }[] = [
    {
      name: "two endpoints are two slots, and a chain for two",
      given: [[service(web)], [two]],
      want: [
        "cluster-ips 10.96.0.9",
        "endpoints 10.96.0.9 . tcp . 80 . 0 : 1.1.1.2 . 8080",
        "endpoints 10.96.0.9 . tcp . 80 . 1 : 1.1.1.3 . 8080",
        "services 10.96.0.9 . tcp . 80 : goto pick-2",
        "hairpin 1.1.1.2 . 1.1.1.2",
      ],
    },
    {
      name: "no endpoint anywhere is refused",
      given: [[service(web)], []],
      want: ["cluster-ips 10.96.0.9", "refused 10.96.0.9 . tcp . 80 : goto refuse"],
    },
    {
      name: "no endpoint here, but elsewhere, is dropped with internalTrafficPolicy Local",
      given: [[service(web, { internalTrafficPolicy: "Local" })], ["web 8080 1.1.1.3@b"]],
      want: ["cluster-ips 10.96.0.9", "refused 10.96.0.9 . tcp . 80 : drop"],
    },
    {
      name: "a node port under externalTrafficPolicy Local has the node's own endpoints apart",
      given: [[service("web 10.96.0.9 80@30080", { externalTrafficPolicy: "Local" })], [two]],
      want: [
        "cluster-ips 10.96.0.9",
        "endpoints 10.96.0.9 . tcp . 80 . 0 : 1.1.1.2 . 8080",
        "endpoints 10.96.0.9 . tcp . 80 . 1 : 1.1.1.3 . 8080",
        "services 10.96.0.9 . tcp . 80 : goto pick-2",
        "endpoints 172.30.0.10 . tcp . 30080 . 0 : 1.1.1.2 . 8080",
        "endpoints 172.30.0.10 . tcp . 30080 . 1 : 1.1.1.3 . 8080",
        "endpoints 172.30.0.10 . tcp . 30080 . 32768 : 1.1.1.2 . 8080",
        "services 172.30.0.10 . tcp . 30080 : goto pick-2-local-1",
        "hairpin 1.1.1.2 . 1.1.1.2",
      ],
    },
    {
      name: "affinity remembers for as long as the service says",
      given: [
        [service(web, { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 9 } } })],
        ["web 8080 1.1.1.3@b"],
      ],
      want: [
        "cluster-ips 10.96.0.9",
        "endpoints 10.96.0.9 . tcp . 80 . 0 : 1.1.1.3 . 8080",
        "services 10.96.0.9 . tcp . 80 : goto pick-1-sticky",
        "sticky 10.96.0.9 . tcp . 80 : goto remember-9",
      ],
    },
    {
      name: "source ranges that lie in one another are said once, and everybody means no guard",
      given: [
        [
          service(
            web,
            { type: "LoadBalancer", loadBalancerSourceRanges: ["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8"] },
            { loadBalancer: { ingress: [{ ip: "9.9.9.9" }] } },
          ),
          service(
            "open 10.96.0.10 80",
            { type: "LoadBalancer", loadBalancerSourceRanges: ["10.0.0.0/8", "0.0.0.0/0"] },
            { loadBalancer: { ingress: [{ ip: "9.9.9.10" }] } },
          ),
        ],
        [],
      ],
      want: [
        "cluster-ips 10.96.0.10",
        "refused 10.96.0.10 . tcp . 80 : goto refuse",
        "refused 9.9.9.10 . tcp . 80 : goto refuse",
        "cluster-ips 10.96.0.9",
        "refused 10.96.0.9 . tcp . 80 : goto refuse",
        "refused 9.9.9.9 . tcp . 80 : goto refuse",
        "guarded 9.9.9.9 . tcp . 80",
        "allowed 9.9.9.9 . tcp . 80 . 10.0.0.0/8",
      ],
    },
    {
      name: "of two services with the same external address the first by name has it",
      given: [
        [
          service("b 10.96.0.2 80", { externalIPs: ["9.9.9.9"] }),
          service("a 10.96.0.1 80", { externalIPs: ["9.9.9.9"] }),
        ],
        ["a 1 1.1.1.3@b"],
      ],
      want: [
        "cluster-ips 10.96.0.1",
        "endpoints 10.96.0.1 . tcp . 80 . 0 : 1.1.1.3 . 1",
        "services 10.96.0.1 . tcp . 80 : goto pick-1",
        "endpoints 9.9.9.9 . tcp . 80 . 0 : 1.1.1.3 . 1",
        "services 9.9.9.9 . tcp . 80 : goto pick-1",
        "cluster-ips 10.96.0.2",
        "refused 10.96.0.2 . tcp . 80 : goto refuse",
        "refused 9.9.9.9 . tcp . 80 : goto refuse",
      ],
    },
  ];
  it.each(cases)("$name", ({ given, want }) => {
    expect(show(history(given)[0] as Elements)).toEqual(want);
  });
});

describe("from one state to the next", () => {
  const web = service("web 10.96.0.9 80");
  const three: Given = [[web], ["web 80 1.1.1.1@b 1.1.1.2@b 1.1.1.3@b"]];

  it("nothing changed, nothing is sent", () => {
    const [before, after] = history(three, three) as [Elements, Elements];
    expect(deltaScript(CONFIG, before, after)).toBe("");
  });

  it("an endpoint that goes costs the slot it had, the last slot, and the chain's name", () => {
    const [before, after] = history(three, [[web], ["web 80 1.1.1.2@b 1.1.1.3@b"]]) as [Elements, Elements];
    expect(
      deltaScript(CONFIG, before, after)
        .split("\n")
        .filter((line) => line.includes("element")),
    ).toEqual([
      "delete element ip skiff-proxy endpoints { 10.96.0.9 . tcp . 80 . 0, 10.96.0.9 . tcp . 80 . 2 }",
      "delete element ip skiff-proxy services { 10.96.0.9 . tcp . 80 }",
      "add element ip skiff-proxy endpoints { 10.96.0.9 . tcp . 80 . 0 : 1.1.1.3 . 80 }",
      "add element ip skiff-proxy services { 10.96.0.9 . tcp . 80 : goto pick-2 }",
    ]);
  });

  it("a chain is made once, before what leads to it", () => {
    const other = service("other 10.96.0.8 80");
    const [before, after] = history(three, [
      [web, other],
      [...three[1], "other 80 2.2.2.2@b"],
    ]) as [Elements, Elements];
    const lines = deltaScript(CONFIG, before, after).split("\n");
    expect(lines[0]).toBe("add chain ip skiff-proxy pick-1");
    expect(lines.filter((line) => line.startsWith("add chain"))).toHaveLength(1);
  });

  it("the last service goes without a trace but for its chains", () => {
    const [before, after] = history(three, [[], []]) as [Elements, Elements];
    expect(difference(before, after).removed).toHaveLength(before.elements.size);
    expect(after.elements.size).toBe(0);
  });

  it("a first load is the table and everything in it, in one text", () => {
    const script = loadScript(CONFIG, history(three)[0] as Elements);
    expect(script.indexOf("table ip skiff-proxy {")).toBe(0);
    expect(script).toContain("add element ip skiff-proxy services { 10.96.0.9 . tcp . 80 : goto pick-3 }");
    expect(script).not.toContain("delete");
  });
});

describe("slots", () => {
  const cases = [
    { name: "are given in order", before: "", wanted: "a b c", want: "a b c" },
    { name: "stay when one is added", before: "a b", wanted: "c b a", want: "a b c" },
    { name: "are filled from the end when one goes", before: "a b c d", wanted: "a c d", want: "a d c" },
    { name: "are all new when all are", before: "a b", wanted: "c d e", want: "c d e" },
    { name: "hold everyone once", before: "a", wanted: "b b a a", want: "a b" },
    { name: "may be none", before: "a b", wanted: "", want: "" },
  ];
  const words = (text: string) => text.split(" ").filter(Boolean);
  it.each(cases)("$name: $before → $wanted", ({ before, wanted, want }) => {
    expect(assignSlots(words(before), words(wanted)).join(" ")).toBe(want);
  });
});

describe("connections to be forgotten", () => {
  const dns = service("dns 10.96.0.10 53/UDP");
  const web = service("web 10.96.0.9 80");
  const cases: { name: string; before: Given; after: Given; want: string[] }[] = [
    {
      name: "of a UDP endpoint that went",
      before: [[dns], ["dns 53/UDP 1.1.1.1@b 1.1.1.2@b"]],
      after: [[dns], ["dns 53/UDP 1.1.1.2@b"]],
      want: ["-D -p udp --orig-dst 10.96.0.10 --orig-port-dst 53 --reply-src 1.1.1.1 --reply-port-src 53"],
    },
    {
      name: "none of one that only moved to another slot",
      before: [[dns], ["dns 53/UDP 1.1.1.1@b 1.1.1.2@b"]],
      after: [[dns], ["dns 53/UDP 1.1.1.2@b 1.1.1.1@b 1.1.1.3@b"]],
      want: [],
    },
    {
      name: "of a UDP service that gets its first endpoint",
      before: [[dns], []],
      after: [[dns], ["dns 53/UDP 1.1.1.1@b"]],
      want: ["-D -p udp --orig-dst 10.96.0.10 --orig-port-dst 53"],
    },
    { name: "none of TCP", before: [[web], ["web 80 1.1.1.1@b"]], after: [[web], ["web 80 1.1.1.2@b"]], want: [] },
    {
      name: "all UDP at once when there are many",
      before: [[], []],
      after: [
        Array.from({ length: 70 }, (_, index) => service(`s${index} 10.96.1.${index} 53/UDP`)),
        Array.from({ length: 70 }, (_, index) => `s${index} 53/UDP 1.1.1.1@b`),
      ],
      want: ["-D -p udp"],
    },
  ];
  it.each(cases)("$name", ({ before, after, want }) => {
    const [previous = NO_ELEMENTS, next = NO_ELEMENTS] = history(before, after);
    expect(staleUdpEntries(previous, next).map((args) => args.join(" "))).toEqual(want);
  });
});

describe("affinities to be forgotten", () => {
  const sticky = service("web 10.96.0.9 80", { sessionAffinity: "ClientIP" });
  const [both, one] = history([[sticky], ["web 80 1.1.1.1@b 1.1.1.2@b"]], [[sticky], ["web 80 1.1.1.2@b"]]) as [
    Elements,
    Elements,
  ];
  const remembered = (client: string, endpoint: string) => [
    { elem: { val: { concat: [client, "10.96.0.9", "tcp", 80] }, timeout: 10_800, expires: 9_000 } },
    { concat: [endpoint, 80] },
  ];
  const listing = JSON.stringify({
    nftables: [
      { metainfo: {} },
      { map: { name: "affinity", elem: [remembered("9.0.0.1", "1.1.1.1"), remembered("9.0.0.2", "1.1.1.2")] } },
    ],
  });

  it("are those that lead to an endpoint that is gone", () => {
    expect(staleAffinities(listing, one)).toEqual(["9.0.0.1 . 10.96.0.9 . tcp . 80"]);
    expect(staleAffinities(listing, both)).toEqual([]);
  });

  it("need not be looked for unless an endpoint of such a service goes", () => {
    expect(touchesAffinities(both, difference(both, one).removed)).toBe(true);
    const [before, after] = history([[service("x 10.96.0.1 1")], ["x 1 1.1.1.1@b"]], [[], []]) as [Elements, Elements];
    expect(touchesAffinities(before, difference(before, after).removed)).toBe(false);
  });
});
