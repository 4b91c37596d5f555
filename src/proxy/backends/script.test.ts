import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ruleCache } from "../ruleCache.ts";
import { service, slice } from "../serviceNotation.ts";
import { staleAffinities, touchesAffinities } from "./affinity.ts";
import { staleUdpEntries } from "./conntrack.ts";
import { type Change, ElementTable } from "./elementTable.ts";
import { changeScript, loadScript } from "./script.ts";
import { assignSlots } from "./slots.ts";

const CONFIG = { nodeIP: "172.30.0.10", podCidr: "10.244.0.0/16" };
const NODE_ADDRESSES = ["172.30.0.10"];
type Given = readonly [ReturnType<typeof service>[], string[]];

/** One table through one view after another: how it ends, and what the last view changed. */
function play(...views: Given[]): { table: ElementTable; change: Change } {
  const rules = ruleCache("a");
  const table = new ElementTable(NODE_ADDRESSES);
  const changes = views.map(([services, slices]) =>
    table.update(rules({ services, slices: slices.map((line, index) => slice(line, `${index}`)) })),
  );
  return { table, change: changes.at(-1) as Change };
}

const show = (table: ElementTable): string[] =>
  table.all().map(({ set, key, value }) => `${set} ${key}${value && ` : ${value}`}`);

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
    expect(show(play(given).table).toSorted()).toEqual(want.toSorted());
  });
});

describe("from one state to the next", () => {
  const web = service("web 10.96.0.9 80");
  const three: Given = [[web], ["web 80 1.1.1.1@b 1.1.1.2@b 1.1.1.3@b"]];
  const lines = (...views: Given[]) =>
    changeScript(CONFIG, play(...views).change)
      .split("\n")
      .filter(Boolean);

  it("nothing changed, nothing is sent", () => {
    expect(lines(three, three)).toEqual([]);
  });

  it("an endpoint that goes costs the slot it had, the last slot, and the chain's name", () => {
    const after: Given = [[web], ["web 80 1.1.1.2@b 1.1.1.3@b"]];
    expect(lines(three, after).filter((line) => line.includes("element"))).toEqual([
      "delete element ip skiff-proxy endpoints { 10.96.0.9 . tcp . 80 . 0, 10.96.0.9 . tcp . 80 . 2 }",
      "delete element ip skiff-proxy services { 10.96.0.9 . tcp . 80 }",
      "add element ip skiff-proxy endpoints { 10.96.0.9 . tcp . 80 . 0 : 1.1.1.3 . 80 }",
      "add element ip skiff-proxy services { 10.96.0.9 . tcp . 80 : goto pick-2 }",
    ]);
  });

  it("a chain is made once, before what leads to it", () => {
    const other: Given = [
      [web, service("other 10.96.0.8 80")],
      [...three[1], "other 80 2.2.2.2@b"],
    ];
    const sent = lines(three, other);
    expect(sent[0]).toBe("add chain ip skiff-proxy pick-1");
    expect(sent.filter((line) => line.startsWith("add chain"))).toHaveLength(1);
    expect(lines(three, other, three, other).filter((line) => line.startsWith("add chain"))).toEqual([]);
  });

  it("the last service goes without a trace but for its chains", () => {
    const { table, change } = play(three, [[], []]);
    expect(change.removed).toHaveLength(5);
    expect(table.all()).toEqual([]);
  });

  it("what two services claim stays until both are gone, and passes to the other", () => {
    const claim = (name: string, ip: string) => service(`${name} ${ip} 80`, { externalIPs: ["9.9.9.9"] });
    const [a, b] = [claim("a", "10.96.0.1"), claim("b", "10.96.0.2")];
    const slices = ["a 1 1.1.1.1@a", "b 2 1.1.1.1@a"];
    const external = (...views: Given[]) => lines(...views).filter((line) => line.includes(" endpoints {"));
    expect(external([[a], slices], [[a, b], slices])).toEqual([
      "add element ip skiff-proxy endpoints { 10.96.0.2 . tcp . 80 . 0 : 1.1.1.1 . 2 }",
    ]);
    expect(external([[a, b], slices], [[b], slices])).toEqual([
      "delete element ip skiff-proxy endpoints { 9.9.9.9 . tcp . 80 . 0, 10.96.0.1 . tcp . 80 . 0 }",
      "add element ip skiff-proxy endpoints { 9.9.9.9 . tcp . 80 . 0 : 1.1.1.1 . 2 }",
    ]);
    expect(show(play([[a, b], slices], [[b], slices]).table)).toContain("hairpin 1.1.1.1 . 1.1.1.1");
  });

  it("a first load is the table and everything in it, in one text", () => {
    const script = loadScript(CONFIG, play(three).change);
    expect(script.indexOf("table ip skiff-proxy {")).toBe(0);
    expect(script).toContain("add element ip skiff-proxy services { 10.96.0.9 . tcp . 80 : goto pick-3 }");
    expect(script).not.toContain("delete");
  });

  it("many changes end where a first load of the last view would", () => {
    const endpoint = fc.integer({ min: 1, max: 6 }).map((last) => `1.1.1.${last}@${last % 2 ? "a" : "b"}`);
    const given = fc
      .record({ a: fc.uniqueArray(endpoint), b: fc.uniqueArray(endpoint), local: fc.boolean(), both: fc.boolean() })
      .map(({ a, b, local, both }): Given => {
        const spec = { externalIPs: ["9.9.9.9"], ...(local ? { externalTrafficPolicy: "Local" } : {}) };
        const services = [service("a 10.96.0.1 80", spec), service("b 10.96.0.2 80@30080", spec)];
        return [both ? services : services.slice(1), [`a 80 ${a.join(" ")}`.trim(), `b 80 ${b.join(" ")}`.trim()]];
      });
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 6 }), (views) => {
        const rules = ruleCache("a");
        const table = new ElementTable(NODE_ADDRESSES);
        const kernel = new Map<string, string>();
        for (const [services, slices] of views) {
          const change = table.update(
            rules({ services, slices: slices.map((line, index) => slice(line, `${index}`)) }),
          );
          for (const { set, key } of change.removed) expect(kernel.delete(`${set} ${key}`)).toBe(true);
          for (const { set, key, value } of change.added) {
            expect(kernel.has(`${set} ${key}`)).toBe(false);
            kernel.set(`${set} ${key}`, value);
          }
        }
        const last = play(views.at(-1) as Given).table;
        expect([...kernel.keys()].toSorted()).toEqual(
          last
            .all()
            .map(({ set, key }) => `${set} ${key}`)
            .toSorted(),
        );
        expect(
          table
            .all()
            .map(({ value }) => value)
            .toSorted(),
        ).toEqual([...kernel.values()].toSorted());
      }),
    );
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
    const { table, change } = play(before, after);
    expect(staleUdpEntries(change, table).map((args) => args.join(" "))).toEqual(want);
  });
});

describe("affinities to be forgotten", () => {
  const sticky = service("web 10.96.0.9 80", { sessionAffinity: "ClientIP" });
  const both: Given = [[sticky], ["web 80 1.1.1.1@b 1.1.1.2@b"]];
  const one: Given = [[sticky], ["web 80 1.1.1.2@b"]];
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
    expect(staleAffinities(listing, play(one).table)).toEqual(["9.0.0.1 . 10.96.0.9 . tcp . 80"]);
    expect(staleAffinities(listing, play(both).table)).toEqual([]);
  });

  it("need not be looked for unless an endpoint of such a service goes, or affinity is turned on", () => {
    const touched = (...views: Given[]) => {
      const { table, change } = play(...views);
      return touchesAffinities(change, table);
    };
    expect(touched(both, one)).toBe(true);
    expect(touched(both, [[], []])).toBe(true);
    expect(touched(one, both)).toBe(false);
    expect(touched([[service("web 10.96.0.9 80")], one[1]], one)).toBe(true);
    expect(touched([[service("x 10.96.0.1 1")], ["x 1 1.1.1.1@b"]], [[], []])).toBe(false);
  });
});
