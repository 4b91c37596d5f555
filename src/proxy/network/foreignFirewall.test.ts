import { describe, expect, it } from "vitest";
import { admitScript, withdrawScript } from "./foreignFirewall.ts";

const chain = (family: string, table: string, name: string, policy: string, hook = "forward") => ({
  chain: { family, table, name, hook, policy },
});
const rule = (family: string, table: string, chainName: string, handle: number, last: object, comment?: string) => ({
  rule: { family, table, chain: chainName, handle, expr: [{ counter: {} }, last], ...(comment && { comment }) },
});
const listing = (...nftables: object[]) => JSON.stringify({ nftables: [{ metainfo: {} }, ...nftables] });
const admitted = (...nftables: object[]) =>
  [...admitScript(listing(...nftables), "skiff-1").matchAll(/^insert rule (\S+ \S+ \S+) iifname/gm)].map(
    ([, at]) => at,
  );

describe("the cluster's wire is admitted", () => {
  const docker = chain("ip", "filter", "FORWARD", "drop");
  const firewalld = chain("inet", "firewalld", "filter_FORWARD", "accept");
  it.each([
    { name: "where a policy drops", ruleset: [docker], want: ["ip filter FORWARD"] },
    {
      name: "where the last rule rejects",
      ruleset: [firewalld, rule("inet", "firewalld", "filter_FORWARD", 1, { reject: {} })],
      want: ["inet firewalld filter_FORWARD"],
    },
    {
      name: "not where a rule of another chain rejects",
      ruleset: [firewalld, rule("inet", "firewalld", "filter_INPUT", 1, { reject: {} })],
      want: [],
    },
    { name: "not where everything passes", ruleset: [chain("ip", "filter", "FORWARD", "accept")], want: [] },
    {
      name: "not for what comes to the machine itself",
      ruleset: [chain("ip", "filter", "INPUT", "drop", "input")],
      want: [],
    },
    { name: "not for IPv6", ruleset: [chain("ip6", "filter", "FORWARD", "drop")], want: [] },
    {
      name: "not a second time",
      ruleset: [docker, rule("ip", "filter", "FORWARD", 4, { accept: null }, "skiff-1")],
      want: [],
    },
    {
      name: "beside another cluster's",
      ruleset: [docker, rule("ip", "filter", "FORWARD", 4, { accept: null }, "skiff-2")],
      want: ["ip filter FORWARD"],
    },
    { name: "nowhere on a machine without rules", ruleset: [], want: [] },
  ])("$name", ({ ruleset, want }) => expect(admitted(...ruleset)).toEqual(want));

  it("until it goes", () => {
    const rules = [
      rule("ip", "filter", "FORWARD", 4, { accept: null }, "skiff-1"),
      rule("ip", "filter", "FORWARD", 5, { accept: null }, "skiff-2"),
      rule("ip", "filter", "FORWARD", 6, { accept: null }),
    ];
    expect(withdrawScript(listing(docker, ...rules), "skiff-1")).toBe("delete rule ip filter FORWARD handle 4\n");
  });
});
