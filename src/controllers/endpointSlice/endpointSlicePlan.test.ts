import { describe, expect, it } from "vitest";
import type { Node, Pod, Service } from "../../api/generated/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { plan as planEndpoints } from "../endpoints/endpointsPlan.ts";
import { podsFrom } from "../pods/podNotation.ts";
import { plan, type SliceAction } from "./endpointSlicePlan.ts";

const serviceOf = (spec: Partial<Service["spec"]> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "s",
    namespace: "default",
    uid: "s",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: {
    clusterIP: "10.96.0.9",
    ipFamilies: ["IPv4"],
    selector: { app: "a" },
    ports: [{ name: "http", port: 80, targetPort: "web", protocol: "TCP" }],
    ...spec,
  },
  status: {},
});

const node = { metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z" } } } as unknown as Node;
const nodeOf = (name: string) => (name === "n1" ? node : undefined);

/** Pods in notation, each with an address made of its number and a port named web. */
const podsWithAddresses = (text: string): readonly Pod[] =>
  podsFrom(text).map((pod) => ({
    ...pod,
    spec: { ...pod.spec, containers: [{ name: "c", ports: [{ name: "web", containerPort: 8080, protocol: "TCP" }] }] },
    status: { ...pod.status, podIPs: [{ ip: addressOf(pod.metadata.name) }] },
  }));
const addressOf = (name: string) => {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0);
  return `10.244.${number >> 8}.${number & 255}`;
};
const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `p${from + index}@n1+`).join(" ");

/** Applies a plan as the API would, and gives the slices that are then there. */
function applied(slices: readonly EndpointSlice[], actions: readonly SliceAction[]): EndpointSlice[] {
  const gone = new Set(actions.flatMap((action) => (action.do === "create" ? [] : [action.slice.metadata.name])));
  const kept = slices.filter((slice) => !gone.has(slice.metadata.name));
  const written = actions.flatMap((action, index) => {
    if (action.do === "delete") return [];
    if (action.do === "update") return [action.slice];
    const metadata = { ...action.slice.metadata, name: `s-${slices.length + index}`, uid: "x", resourceVersion: "1" };
    return [{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", ...action.slice, metadata } as EndpointSlice];
  });
  return [...kept, ...written];
}

const run = (pods: string, slices: readonly EndpointSlice[] = [], service = serviceOf()) => {
  const { actions } = plan({ service, pods: podsWithAddresses(pods), nodeOf, slices, triggerMs: undefined });
  return { actions, after: applied(slices, actions) };
};
const sizes = (slices: readonly EndpointSlice[]) => slices.map((slice) => slice.endpoints?.length).join(" ");
const verbs = (actions: readonly SliceAction[]) => actions.map((action) => action.do).join(" ");

describe("the traffic that a Service prefers", () => {
  const z = { forZones: [{ name: "z" }] };
  it.each([
    { name: "in the same zone", distribution: "PreferSameZone", pods: "p1@n1+", want: z },
    { name: "close by", distribution: "PreferClose", pods: "p1@n1+", want: z },
    {
      name: "on the same node",
      distribution: "PreferSameNode",
      pods: "p1@n1+",
      want: { ...z, forNodes: [{ name: "n1" }] },
    },
    {
      name: "on the same node, in no zone",
      distribution: "PreferSameNode",
      pods: "p1@n1+",
      of: { ...node, metadata: { ...node.metadata, labels: {} } },
      want: { forNodes: [{ name: "n1" }] },
    },
    { name: "not to what is not ready", distribution: "PreferSameNode", pods: "p1@n1", want: undefined },
    { name: "anywhere", distribution: undefined, pods: "p1@n1+", want: undefined },
  ])("$name", ({ distribution, pods, of = node, want }) => {
    const service = serviceOf(distribution === undefined ? {} : { trafficDistribution: distribution });
    const observed = { service, pods: podsWithAddresses(pods), slices: [], triggerMs: undefined, nodeOf: () => of };
    const [action] = plan(observed).actions;
    expect(action?.slice.endpoints?.[0]?.hints).toEqual(want);
  });
});

describe("slices", () => {
  it("hold 100 endpoints each", () => {
    expect(sizes(run(names(0, 250)).after)).toBe("100 100 50");
  });

  it("stay as they are when nothing changed", () => {
    const { after } = run(names(0, 150));
    expect(run(names(0, 150), after).actions).toEqual([]);
  });

  it("are rewritten one at a time when a pod goes, and not packed again", () => {
    const first = run(names(0, 150)).after;
    const { actions, after } = run(names(1, 150), first);
    expect([verbs(actions), sizes(after).split(" ").sort().join(" ")]).toEqual(["update", "50 99"]);
  });

  it("that change anyway take what is to be added", () => {
    const first = run(names(0, 150)).after;
    const { actions } = run(`${names(1, 150)} p200@n1+`, first);
    expect(verbs(actions)).toBe("update");
  });

  it("of which none changes are filled where the fewest places are left over", () => {
    const first = run(names(0, 150)).after;
    const { actions, after } = run(names(0, 155), first);
    expect([verbs(actions), sizes(after)]).toEqual(["update", "100 55"]);
  });

  it("of a service without endpoints are one empty one, which stays", () => {
    const { after } = run("");
    expect(sizes(after)).toBe("0");
    expect(run("", after).actions).toEqual([]);
  });

  it("use the empty one again for the first endpoint", () => {
    const { actions } = run("p1@n1+", run("").after);
    expect(verbs(actions)).toBe("update");
  });

  it("of another address family go", () => {
    const { after } = run(names(0, 1));
    const { actions } = run(
      names(0, 1),
      after.map((slice) => ({ ...slice, addressType: "IPv6" })),
    );
    expect(verbs(actions)).toBe("create delete");
  });

  it("carry the service's labels, and follow them", () => {
    const service = serviceOf();
    const labelled = { ...service, metadata: { ...service.metadata, labels: { team: "x" } } };
    const { after } = run("p1@n1+", run("p1@n1+").after, labelled);
    expect(after[0]?.metadata.labels).toEqual({
      team: "x",
      "kubernetes.io/service-name": "s",
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    });
  });
});

const conditions: { name: string; pods: string; spec?: Partial<Service["spec"]>; want: object | undefined }[] = [
  {
    name: "a ready pod is ready and serving",
    pods: "p1@n1+",
    want: { ready: true, serving: true, terminating: false },
  },
  {
    name: "a pod that is not ready is listed as such",
    pods: "p1@n1",
    want: { ready: false, serving: false, terminating: false },
  },
  {
    name: "a dying pod that still answers serves",
    pods: "p1@n1+!",
    want: { ready: false, serving: true, terminating: true },
  },
  {
    name: "publishing pods that are not ready calls them ready",
    pods: "p1@n1",
    spec: { publishNotReadyAddresses: true },
    want: { ready: true, serving: false, terminating: false },
  },
  { name: "a failed pod is not listed", pods: "p1@n1#", want: undefined },
  { name: "a pod of an unknown node is not listed", pods: "p1@n7+", want: undefined },
];

describe("an endpoint", () => {
  it.each(conditions)("$name", ({ pods, spec, want }) => {
    const { after } = run(pods, [], serviceOf(spec));
    expect(after[0]?.endpoints?.[0]?.conditions).toEqual(want);
  });

  it("says its node, zone, pod and, by name, its port", () => {
    const [slice] = run("p1@n1+").after;
    expect(slice?.endpoints?.[0]).toMatchObject({ nodeName: "n1", zone: "z", targetRef: { kind: "Pod", name: "p1" } });
    expect(slice?.ports).toEqual([{ name: "http", port: 8080, protocol: "TCP" }]);
  });

  it("of a headless service without ports has none, and its slice is marked", () => {
    const [slice] = run("p1@n1+", [], serviceOf({ clusterIP: "None", ports: [] })).after;
    expect(slice?.ports).toEqual([]);
    expect(slice?.metadata.labels?.["service.kubernetes.io/headless"]).toBe("");
  });
});

describe("Endpoints", () => {
  const planned = (pods: string, spec: Partial<Service["spec"]> = {}) => {
    const service = serviceOf(spec);
    const action = planEndpoints({
      service,
      pods: podsWithAddresses(pods),
      endpoints: undefined,
      triggerMs: undefined,
    });
    return action.do === "create" ? action.endpoints : undefined;
  };
  const shown = (pods: string, spec?: Partial<Service["spec"]>) =>
    (planned(pods, spec)?.subsets ?? [])
      .map(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
        [
          ...addresses.map(({ ip }) => ip),
          ...notReadyAddresses.map(({ ip }) => `(${ip})`),
          ...ports.map(({ port }) => `:${port}`),
        ].join(" "),
      )
      .join("; ");

  const cases: { name: string; pods: string; spec?: Partial<Service["spec"]>; want: string }[] = [
    { name: "list ready pods, sorted by address", pods: "p10@n1+ p9@n1+", want: "10.244.0.9 10.244.0.10 :8080" },
    { name: "list others apart", pods: "p1@n1+ p2@n1", want: "10.244.0.1 (10.244.0.2) :8080" },
    { name: "leave dying pods out", pods: "p1@n1+ p2@n1+!", want: "10.244.0.1 :8080" },
    {
      name: "leave out pods without the port",
      pods: "p1@n1+",
      spec: { ports: [{ port: 80, targetPort: "other" }] },
      want: "",
    },
    {
      name: "have no ports where a headless service has none",
      pods: "p1@n1+",
      spec: { clusterIP: "None", ports: [] },
      want: "10.244.0.1",
    },
  ];
  it.each(cases)("$name", ({ pods, spec, want }) => {
    expect(shown(pods, spec)).toBe(want);
  });

  it("list no more than 1000, and say so", () => {
    const endpoints = planned(names(0, 1100));
    expect(endpoints?.subsets?.[0]?.addresses).toHaveLength(1000);
    expect(endpoints?.metadata.annotations).toEqual({ "endpoints.kubernetes.io/over-capacity": "truncated" });
  });
});
