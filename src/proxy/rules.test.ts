import { describe, expect, it } from "vitest";
import type { Service } from "../api/generated/core-v1.ts";
import type { Backend } from "./endpointGroups.ts";
import { ruleCache } from "./ruleCache.ts";
import { serviceRule } from "./rules.ts";
import { service, slice } from "./serviceNotation.ts";

/** "2:8080* 3:8080": last number of the address, port, * on this node. */
const show = (backends: readonly Backend[]): string =>
  backends.map(({ ip, port, local }) => `${ip.split(".")[3]}:${port}${local ? "*" : ""}`).join(" ");

const WEB = "web 10.96.0.9 80";

describe("the endpoints of a service port, seen from node a", () => {
  const cases: {
    name: string;
    service?: Service;
    slices: string[];
    internal: string;
    external?: string;
    local?: string;
  }[] = [
    { name: "all ready ones", slices: ["web 8080 1.1.1.2@a 1.1.1.3@b"], internal: "2:8080* 3:8080" },
    { name: "not those that are not ready", slices: ["web 8080 1.1.1.2@a 1.1.1.3@b!"], internal: "2:8080*" },
    { name: "not those that shut down", slices: ["web 8080 1.1.1.2@a 1.1.1.3@b~"], internal: "2:8080*" },
    {
      name: "those that shut down but serve, when no other is left",
      slices: ["web 8080 1.1.1.2@a! 1.1.1.3@b~"],
      internal: "3:8080",
    },
    { name: "none when all have stopped serving", slices: ["web 8080 1.1.1.2@a% 1.1.1.3@b!"], internal: "" },
    {
      name: "of several slices, each with its own port number",
      slices: ["web 8080 1.1.1.2@a", "web 9090 1.1.1.3@b"],
      internal: "2:8080* 3:9090",
    },
    {
      name: "once each, though two slices carry it",
      slices: ["web 8080 1.1.1.2@a!", "web 8080 1.1.1.2@a"],
      internal: "2:8080*",
    },
    {
      name: "of the port with the same name",
      service: service("web 10.96.0.9 http:80"),
      slices: ["web metrics:9,http:8 1.1.1.2@b"],
      internal: "2:8",
    },
    {
      name: "none when only the protocol differs",
      service: service("web 10.96.0.9 53/UDP"),
      slices: ["web 53 1.1.1.2@b"],
      internal: "",
    },
    { name: "only those meant for this node", slices: ["web 8080 1.1.1.2@a>a 1.1.1.3@b>b"], internal: "2:8080*" },
    {
      name: "all, when none is meant for this node",
      slices: ["web 8080 1.1.1.2@c>c 1.1.1.3@b>b"],
      internal: "2:8080 3:8080",
    },
    { name: "only those meant for its zone", slices: ["web 8080 1.1.1.2@b>>z 1.1.1.3@b>>y"], internal: "2:8080" },
    {
      name: "all, when none is meant for its zone",
      slices: ["web 8080 1.1.1.2@b>>x 1.1.1.3@b>>y"],
      internal: "2:8080 3:8080",
    },
    {
      name: "all, when one is meant for everybody",
      slices: ["web 8080 1.1.1.2@a>a 1.1.1.3@b"],
      internal: "2:8080* 3:8080",
    },
    {
      name: "all, when the one meant for this node is not ready",
      slices: ["web 8080 1.1.1.2@a!>a 1.1.1.3@b>b"],
      internal: "3:8080",
    },
    {
      name: "only this node's with internalTrafficPolicy Local, from outside all",
      service: service(WEB, { internalTrafficPolicy: "Local" }),
      slices: ["web 8080 1.1.1.2@a 1.1.1.3@b"],
      internal: "2:8080*",
      external: "2:8080* 3:8080",
    },
    {
      name: "this node's that shut down, when the others of it are not ready: each node falls back for itself",
      service: service(WEB, { type: "NodePort", externalTrafficPolicy: "Local" }),
      slices: ["web 8080 1.1.1.2@a~ 1.1.1.3@b"],
      internal: "3:8080",
      local: "2:8080*",
    },
  ];
  it.each(cases)("$name", ({ service: given = service(WEB), slices, internal, external, local }) => {
    const rule = serviceRule(
      given,
      slices.map((line, index) => slice(line, `${index}`)),
      "a",
      "z",
    );
    const port = rule?.ports[0];
    expect(show(port?.internal ?? [])).toBe(internal);
    if (external !== undefined) expect(show(port?.external ?? [])).toBe(external);
    if (local !== undefined) expect(show(port?.externalLocal ?? [])).toBe(local);
  });
});

describe("a service's addresses", () => {
  const lb = {
    loadBalancer: {
      ingress: [
        { ip: "172.30.1.129", ipMode: "VIP" },
        { ip: "172.30.1.130", ipMode: "Proxy" },
      ],
    },
  };
  const cases: { name: string; service: Service; want: object | undefined }[] = [
    { name: "a headless one has none", service: service("web None 80"), want: undefined },
    { name: "an ExternalName has none", service: service(WEB, { type: "ExternalName" }), want: undefined },
    { name: "a cluster IP", service: service(WEB), want: { clusterIP: "10.96.0.9", externalLocal: false } },
    {
      name: "load balancer addresses, but those that the balancer answers itself",
      service: service(WEB, { type: "LoadBalancer" }, lb),
      want: { loadBalancerIPs: ["172.30.1.129"] },
    },
    {
      name: "no load balancer addresses once it is another type",
      service: service(WEB, {}, lb),
      want: { loadBalancerIPs: [] },
    },
    {
      name: "external IPs and Local",
      service: service(WEB, { externalIPs: ["9.9.9.9", "::1"], externalTrafficPolicy: "Local" }),
      want: { externalIPs: ["9.9.9.9"], externalLocal: true },
    },
    {
      name: "affinity for three hours unless it says otherwise",
      service: service(WEB, { sessionAffinity: "ClientIP" }),
      want: { affinitySeconds: 10_800 },
    },
    {
      name: "affinity as long as it says",
      service: service(WEB, {
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } },
      }),
      want: { affinitySeconds: 5 },
    },
  ];
  it.each(cases)("$name", ({ service: given, want }) => {
    const rule = serviceRule(given, [], "a");
    if (want === undefined) expect(rule).toBeUndefined();
    else expect(rule).toMatchObject(want);
  });
});

describe("rules over time", () => {
  it("all are made anew when the node comes into another zone", () => {
    const rules = ruleCache("a");
    const view = { services: [service(WEB)], slices: [slice("web 8080 1.1.1.2@b>>x 1.1.1.3@b>>y")] };
    const shown = (zone: string) => show(rules({ ...view, zone }).get("default/web")?.ports[0]?.internal ?? []);
    expect([shown("x"), shown("y")]).toEqual(["2:8080", "3:8080"]);
  });

  it("a service keeps its very rule until it or one of its slices changes", () => {
    const rules = ruleCache("a");
    const [web, db] = [service(WEB), service("db 10.96.0.10 5432")];
    const [one, two] = [slice("web 8080 1.1.1.2@a"), slice("db 5432 1.1.1.3@a")];
    const first = rules({ services: [web, db], slices: [one, two] });
    const second = rules({ services: [db, web], slices: [two, slice("web 8080 1.1.1.4@a")] });
    expect(second.get("default/db")).toBe(first.get("default/db"));
    expect(show(second.get("default/web")?.ports[0]?.internal ?? [])).toBe("4:8080*");
  });
});
