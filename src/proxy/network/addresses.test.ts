import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressAt, clusterNames, linkAddresses, linkCandidates, overlaps, parseCidr } from "./addresses.ts";
import { assignAddress, NO_POD_ADDRESSES, releaseAddress } from "./podAddresses.ts";
import { podLink } from "./podScripts.ts";

describe("ranges", () => {
  const cases = [
    { one: "10.0.0.0/8", other: "10.244.0.0/16", want: true },
    { one: "10.244.0.0/24", other: "10.244.1.0/24", want: false },
    { one: "172.30.5.7", other: "172.30.5.0/24", want: true },
    { one: "172.30.5.255/24", other: "172.30.5.0/25", want: true },
  ];
  it.each(cases)("$one and $other overlap: $want", ({ one, other, want }) => {
    expect(overlaps(one, other)).toBe(want);
    expect(overlaps(other, one)).toBe(want);
  });

  it.each(["", "10.0.0", "10.0.0.256/8", "10.0.0.0/33", "fd00::/8"])('"%s" is refused', (text) => {
    expect(() => parseCidr(text)).toThrow("is no IPv4 range");
  });

  it("addresses are counted from the range's start", () => {
    expect(addressAt("10.244.3.77/24", 5)).toBe("10.244.3.5");
    expect(addressAt("10.244.255.0/24", 256)).toBe("10.245.0.0");
  });
});

describe("a cluster's own /24", () => {
  it("differs between clusters, and stays the same for one", () => {
    expect(linkCandidates("one", [])[0]).toBe(linkCandidates("one", [])[0]);
    expect(linkCandidates("one", [])[0]).not.toBe(linkCandidates("two", [])[0]);
  });

  it("is never one that the host routes, and comes from another pool when the first is all taken", () => {
    const [first = ""] = linkCandidates("one", []);
    expect(linkCandidates("one", [first.replace("0/24", "77")])).not.toContain(first);
    expect(linkCandidates("one", ["172.16.0.0/12"])[0]).toMatch(/^10\.213\./);
    expect(linkCandidates("one", ["172.16.0.0/12", "10.0.0.0/8", "198.18.0.0/15"])).toEqual([]);
  });

  it("has the host, the router, nodes and load balancers apart", () => {
    const link = linkAddresses("172.30.7.0/24");
    expect([link.host, link.fabric, link.node(0), link.node(117), link.loadBalancers]).toEqual([
      "172.30.7.1",
      "172.30.7.2",
      "172.30.7.10",
      "172.30.7.127",
      "172.30.7.128/25",
    ]);
    expect(() => link.node(118)).toThrow("at most 118 nodes");
  });

  it("interfaces' names fit into 15 characters, and another directory means another cluster", () => {
    expect(clusterNames("skiff", "/run/skiff/skiff").uplink).toHaveLength(14);
    expect(clusterNames("skiff", "/tmp/x").uplink).not.toBe(clusterNames("skiff", "/run/skiff/skiff").uplink);
    expect(podLink("b".repeat(64)).length).toBeLessThanOrEqual(15);
  });
});

describe("pods' addresses", () => {
  /** "+a" a pod comes, "-a" it goes; gives the addresses handed out, by their last number. */
  function play(steps: string, range = "10.244.0.0/29"): string {
    let state = NO_POD_ADDRESSES;
    const given: string[] = [];
    for (const step of steps.split(" ")) {
      if (step.startsWith("-")) state = releaseAddress(state, step.slice(1));
      else {
        const { ip, addresses } = assignAddress(state, step.slice(1), range);
        state = addresses;
        given.push(ip.split(".")[3] as string);
      }
    }
    return given.join(" ");
  }
  const cases = [
    { name: "go up", steps: "+a +b +c", want: "1 2 3" },
    { name: "of a replacement are new", steps: "+a -a +b -b +c", want: "1 2 3" },
    { name: "stay with a sandbox that asks again", steps: "+a +b +a", want: "1 2 1" },
    {
      name: "start again at the end, past those in use",
      steps: "+a +b +c +d +e +f -b -d +g +h",
      want: "1 2 3 4 5 6 2 4",
    },
  ];
  it.each(cases)("$name: $steps", ({ steps, want }) => {
    expect(play(steps)).toBe(want);
  });

  it("run out", () => {
    expect(() => play("+a +b +c +d +e +f +g")).toThrow("no address is left in the pod range 10.244.0.0/29");
  });

  it("are never shared, whatever comes and goes", () => {
    const step = fc.record({ add: fc.boolean(), pod: fc.integer({ min: 0, max: 8 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = NO_POD_ADDRESSES;
        for (const { add, pod } of steps) {
          const full = Object.keys(state.assigned).length === 6 && state.assigned[`p${pod}`] === undefined;
          if (!add) state = releaseAddress(state, `p${pod}`);
          else if (!full) state = assignAddress(state, `p${pod}`, "10.0.0.0/29").addresses;
          const ips = Object.values(state.assigned);
          expect(new Set(ips).size).toBe(ips.length);
        }
      }),
    );
  });
});
