import { describe, expect, it } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { testServer } from "../testServer.ts";
import { ClusterIpAllocator } from "./clusterIpAllocator.ts";
import { NumberAllocator } from "./numberAllocator.ts";

const SERVICES = "/api/v1/namespaces/default/services";
const small = { services: { serviceCidr: "10.0.0.0/28", nodePortRange: { first: 30_000, last: 30_003 } } };
const service = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { selector: { a: "b" }, ports: [{ port: 80 }], ...spec },
});

describe("numbers", () => {
  it("come from above the band until that is empty", () => {
    const numbers = new NumberAllocator(10, 4, seededRandom("x"));
    const upper = Array.from({ length: 6 }, () => numbers.takeNext() as number);
    expect(upper.toSorted()).toEqual([4, 5, 6, 7, 8, 9]);
    const lower = Array.from({ length: 4 }, () => numbers.takeNext() as number);
    expect(lower.toSorted()).toEqual([0, 1, 2, 3]);
    expect(numbers.takeNext()).toBeUndefined();
    numbers.release(7);
    expect(numbers.takeNext()).toBe(7);
  });
});

describe("addresses", () => {
  it.each([
    ["10.96.0.0", "outside"],
    ["10.96.255.255", "outside"],
    ["10.97.0.1", "outside"],
    ["not one", "outside"],
    ["10.96.0.1", undefined],
    ["10.96.255.254", undefined],
  ])("%s of 10.96.0.0/16 is %s", (address, want) => {
    const allocator = new ClusterIpAllocator("10.96.0.0/16", seededRandom("x"));
    expect(allocator.take(address)).toBe(want);
    if (want === undefined) expect(allocator.take(address)).toBe("taken");
  });

  it.each(["10.96.0.0", "10.96.0.0/33", "x/16", "fd00::/64"])("refuses %s as a range", (cidr) => {
    expect(() => new ClusterIpAllocator(cidr, seededRandom("x"))).toThrow("is not an IPv4 range");
  });
});

describe("services", () => {
  it("get an address, and one family", async () => {
    const { send } = testServer();
    const { body } = await send("POST", SERVICES, service("web"));
    expect(body.spec).toMatchObject({ ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" });
    expect(body.spec.clusterIP).toMatch(/^10\.96\.\d+\.\d+$/);
    expect(body.spec.clusterIPs).toEqual([body.spec.clusterIP]);
  });

  it("do without when headless", async () => {
    const { send } = testServer();
    const { body } = await send("POST", SERVICES, service("web", { clusterIP: "None" }));
    expect(body.spec).toMatchObject({ clusterIP: "None", clusterIPs: ["None"], ipFamilies: ["IPv4"] });
    const bare = await send("POST", SERVICES, service("bare", { clusterIP: "None", selector: undefined }));
    expect(bare.body.spec).toMatchObject({ ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" });
    const name = { type: "ExternalName", externalName: "example.com", ports: undefined, selector: undefined };
    const external = await send("POST", SERVICES, service("out", name));
    expect(external.body.spec.clusterIP).toBeUndefined();
  });

  it("lose address and families when they become a name, whether or not the change takes the address away", async () => {
    const { send } = testServer();
    for (const more of [{}, { clusterIP: null, clusterIPs: null }]) {
      const { body } = await send("POST", SERVICES, service("web"));
      const spec = { ...body.spec, type: "ExternalName", externalName: "example.com", ...more };
      const changed = await send("PUT", `${SERVICES}/web`, { ...body, spec });
      expect(changed.status).toBe(200);
      for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
        expect(changed.body.spec[field]).toBeUndefined();
      await send("DELETE", `${SERVICES}/web`);
    }
  });

  const refusals: [name: string, spec: object, message: string][] = [
    [
      "an address that is taken",
      { clusterIP: "10.0.0.5" },
      'Service "two" is invalid: spec.clusterIPs: Invalid value: ["10.0.0.5"]: failed to allocate IP 10.0.0.5: provided IP is already allocated',
    ],
    [
      "an address of elsewhere",
      { clusterIP: "10.1.0.5" },
      'Service "two" is invalid: spec.clusterIPs: Invalid value: ["10.1.0.5"]: failed to allocate IP 10.1.0.5: the provided IP (10.1.0.5) is not in the valid range. The range of valid IPs is 10.0.0.0/28',
    ],
    [
      "a port that is taken",
      { type: "NodePort", ports: [{ port: 80, nodePort: 30_001 }] },
      'Service "two" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
    ],
    [
      "a port of elsewhere",
      { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] },
      'Service "two" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30003',
    ],
    [
      "no address at all",
      { clusterIP: "web" },
      'Service "two" is invalid: spec.clusterIPs[0]: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      "addresses of which the first is not named alone",
      { clusterIPs: ["10.0.0.6"] },
      'Service "two" is invalid: spec.clusterIPs: Invalid value: ["10.0.0.6"]: must be empty when `clusterIP` is not specified',
    ],
    [
      "an address of a family that the cluster has not",
      { clusterIP: "fd00::1" },
      'Service "two" is invalid: spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
    ],
    [
      "both families where they must be had",
      { ipFamilyPolicy: "RequireDualStack" },
      'Service "two" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      "another family",
      { ipFamilies: ["IPv6"] },
      'Service "two" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ],
  ];
  it.each(refusals)("are refused %s, and what they took is free again", async (_, spec, message) => {
    const { send } = testServer(small);
    const one = service("one", { type: "NodePort", clusterIP: "10.0.0.5", ports: [{ port: 80, nodePort: 30_001 }] });
    expect((await send("POST", SERVICES, one)).status).toBe(201);
    const { status, body } = await send("POST", SERVICES, service("two", spec));
    expect(status).toBe(422);
    expect(body.message).toBe(message);
    const rest = await Promise.all(
      Array.from({ length: 13 }, (_, index) => send("POST", SERVICES, service(`more${index}`))),
    );
    expect(rest.every((answer) => answer.status === 201)).toBe(true);
    expect((await send("POST", SERVICES, service("last"))).body.message).toBe(
      "Internal error occurred: failed to allocate a serviceIP: range is full",
    );
  });

  it("give back what they had when they are deleted or change their type", async () => {
    const { send } = testServer(small);
    const ports = [{ port: 80, nodePort: 30_000 }];
    const spec = { type: "NodePort", clusterIP: "10.0.0.5", ports };
    const { body } = await send("POST", SERVICES, service("one", spec));
    const changed = await send("PUT", `${SERVICES}/one`, { ...body, spec: { ...body.spec, type: "ClusterIP" } });
    expect(changed.body.spec.ports[0].nodePort).toBeUndefined();
    expect(changed.body.spec.clusterIP).toBe("10.0.0.5");
    const other = { type: "NodePort", ports };
    expect((await send("POST", SERVICES, service("two", other))).status).toBe(201);
    await send("DELETE", `${SERVICES}/one`);
    expect((await send("POST", SERVICES, service("three", { clusterIP: "10.0.0.5" }))).status).toBe(201);
  });

  it("keep what they have when an update leaves it out", async () => {
    const { send } = testServer(small);
    const { body } = await send("POST", SERVICES, service("one", { type: "NodePort" }));
    const { status, body: next } = await send("PUT", `${SERVICES}/one`, service("one", { type: "NodePort" }));
    expect(status).toBe(200);
    expect(next.spec).toEqual(body.spec);
  });

  it("keep a port's number on the nodes when all but its name changes", async () => {
    const { send } = testServer(small);
    const asked = service("one", { type: "NodePort", ports: [{ port: 80, nodePort: 30_002 }] });
    await send("POST", SERVICES, asked);
    const moved = service("one", { type: "NodePort", ports: [{ port: 8080, targetPort: 8080 }] });
    const { body } = await send("PUT", `${SERVICES}/one`, moved);
    expect(body.spec.ports).toEqual([{ port: 8080, targetPort: 8080, protocol: "TCP", nodePort: 30_002 }]);
  });

  it("have the node ports that they ask for, where none are given unasked", async () => {
    const { send } = testServer(small);
    const ports = [
      { name: "a", port: 80, nodePort: 30_002 },
      { name: "b", port: 81 },
    ];
    const spec = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports };
    const { body } = await send("POST", SERVICES, service("one", spec));
    expect(body.spec.ports.map(({ nodePort }: { nodePort?: number }) => nodePort)).toEqual([30_002, undefined]);
    const other = service("two", { type: "NodePort", ports: [{ port: 80, nodePort: 30_002 }] });
    expect((await send("POST", SERVICES, other)).body.message).toContain("provided port is already allocated");
  });

  it("take nothing in a dry run", async () => {
    const { send } = testServer(small);
    for (let index = 0; index < 30; index += 1) {
      expect((await send("POST", `${SERVICES}?dryRun=All`, service(`s${index}`))).status).toBe(201);
    }
  });

  it("share one node port between two protocols", async () => {
    const { send } = testServer(small);
    const ports = [
      { name: "t", port: 53, protocol: "TCP" },
      { name: "u", port: 53, protocol: "UDP" },
    ];
    const { body } = await send("POST", SERVICES, service("dns", { type: "NodePort", ports }));
    expect(body.spec.ports[0].nodePort).toBe(body.spec.ports[1].nodePort);
  });

  it("are known again after a restart", async () => {
    const first = testServer(small);
    await first.send("POST", SERVICES, service("one", { clusterIP: "10.0.0.5" }));
    await first.close();
    const second = testServer({ ...small, storage: first.storage });
    const { body } = await second.send("POST", SERVICES, service("two", { clusterIP: "10.0.0.5" }));
    expect(body.message).toContain("provided IP is already allocated");
  });
});
