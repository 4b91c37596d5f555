import type { Backend } from "../endpointGroups.ts";
import { overlaps, parseCidr } from "../network/addresses.ts";
import type { PortRule, ServiceRule } from "../rules.ts";
import { assignSlots } from "./slots.ts";

/** The sets and maps of the table; every element of ours is in one of them. */
export type SetName =
  | "endpoints"
  | "services"
  | "refused"
  | "sticky"
  | "cluster-ips"
  | "hairpin"
  | "guarded"
  | "allowed";

/** One element: its key as nft writes it, and for maps its value. */
export interface Element {
  readonly set: SetName;
  readonly key: string;
  readonly value: string;
}

/** A chain that services share: how to pick among `endpoints`, or among `local` for those from outside. */
export type Pick =
  | { readonly endpoints: number; readonly sticky: boolean }
  | { readonly endpoints: number; readonly sticky: boolean; readonly local: number };

export interface ServiceElements {
  readonly rule: ServiceRule;
  readonly elements: readonly Element[];
  readonly picks: ReadonlyMap<string, Pick>;
  readonly affinitySeconds: number | undefined;
  /** Slots by frontend and group, to be kept the next time. */
  readonly slots: ReadonlyMap<string, readonly string[]>;
}

/** Slots of endpoints that serve only what comes from outside start here. */
export const LOCAL_SLOTS = 32_768;

type Group = "internal" | "external" | "externalLocal";

/** What the table must hold for one service. `before` keeps endpoints in their slots. */
export function serviceElements(
  rule: ServiceRule,
  nodeAddresses: readonly string[],
  before: ServiceElements | undefined,
): ServiceElements {
  const elements: Element[] = [{ set: "cluster-ips", key: rule.clusterIP, value: "" }];
  const picks = new Map<string, Pick>();
  const slots = new Map<string, readonly string[]>();
  const sticky = rule.affinitySeconds !== undefined;

  const slotsOf = (port: PortRule, group: Group): readonly string[] => {
    const key = `${port.protocol}/${port.port}/${group}`;
    const known = slots.get(key) ?? assignSlots(before?.slots.get(key) ?? [], port[group].map(target));
    slots.set(key, known);
    return known;
  };
  const addSlots = (frontend: string, targets: readonly string[], first: number) => {
    targets.forEach((value, slot) => {
      elements.push({ set: "endpoints", key: `${frontend} . ${first + slot}`, value });
    });
  };
  const refuse = (frontend: string, port: PortRule) => {
    elements.push({ set: "refused", key: frontend, value: port.anywhere ? "drop" : "goto refuse" });
  };
  const serve = (frontend: string, pick: Pick) => {
    picks.set(pickName(pick), pick);
    elements.push({ set: "services", key: frontend, value: `goto ${pickName(pick)}` });
    if (sticky) elements.push({ set: "sticky", key: frontend, value: `goto remember-${rule.affinitySeconds}` });
  };
  const addFrontend = (address: string, portNumber: number, port: PortRule, group: "internal" | "external") => {
    const frontend = `${address} . ${port.protocol.toLowerCase()} . ${portNumber}`;
    const targets = slotsOf(port, group);
    if (targets.length === 0) return refuse(frontend, port);
    addSlots(frontend, targets, 0);
    if (group === "internal" || !rule.externalLocal) return serve(frontend, { endpoints: targets.length, sticky });
    const local = slotsOf(port, "externalLocal");
    // A cloud's balancer asks only nodes that have endpoints; until ours does, the node that it asks passes it on.
    if (local.length === 0 && rule.loadBalancerIPs.includes(address)) {
      return serve(frontend, { endpoints: targets.length, sticky });
    }
    addSlots(frontend, local, LOCAL_SLOTS);
    serve(frontend, { endpoints: targets.length, sticky, local: local.length });
  };

  for (const port of rule.ports) {
    addFrontend(rule.clusterIP, port.port, port, "internal");
    for (const address of rule.externalIPs) addFrontend(address, port.port, port, "external");
    for (const address of rule.loadBalancerIPs) {
      addFrontend(address, port.port, port, "external");
      elements.push(...guards(rule, address, port));
    }
    if (port.nodePort === undefined) continue;
    for (const address of nodeAddresses) addFrontend(address, port.nodePort, port, "external");
  }
  elements.push(...hairpins(rule));
  return { rule, elements, picks, affinitySeconds: rule.affinitySeconds, slots };
}

const target = ({ ip, port }: Backend): string => `${ip} . ${port}`;

export function pickName(pick: Pick): string {
  const local = "local" in pick ? `-local-${pick.local}` : "";
  return `pick-${pick.endpoints}${local}${pick.sticky ? "-sticky" : ""}`;
}

/** Pods of this node that may meet themselves through the service. */
function hairpins(rule: ServiceRule): Element[] {
  const ips = new Set(
    rule.ports.flatMap((port) => port.external.concat(port.internal).filter((one) => one.local)).map((one) => one.ip),
  );
  return [...ips].map((ip) => ({ set: "hairpin", key: `${ip} . ${ip}`, value: "" }));
}

function guards({ sourceRanges }: ServiceRule, address: string, port: PortRule): Element[] {
  const ranges = withoutOverlaps(sourceRanges);
  if (ranges.length === 0) return [];
  const frontend = `${address} . ${port.protocol.toLowerCase()} . ${port.port}`;
  return [
    { set: "guarded", key: frontend, value: "" },
    ...ranges.map((range): Element => ({ set: "allowed", key: `${frontend} . ${range}`, value: "" })),
  ];
}

/** nft refuses intervals that overlap: the wider one says it all. Nothing is left when a range admits everybody. */
function withoutOverlaps(ranges: readonly string[]): string[] {
  const widestFirst = [...new Set(ranges)].toSorted((a, b) => parseCidr(b).size - parseCidr(a).size);
  if (widestFirst.some((range) => parseCidr(range).size === 2 ** 32)) return [];
  return widestFirst.filter((range, index) => !widestFirst.slice(0, index).some((wider) => overlaps(wider, range)));
}
