/** The text that nft reads: the table's fixed part, and what differs between two values of it. Pure. */
import { type Element, LOCAL_SLOTS, type Pick, type SetName } from "./elements.ts";
import type { Change } from "./elementTable.ts";

export const TABLE = "skiff-proxy";

export interface TableConfig {
  /** Source address of what this node sends on for others. */
  readonly nodeIP: string;
  /** Pods of the whole cluster: their address is kept. */
  readonly podCidr: string;
}

/** On a connection that the table redirected: its client's address is kept on the way to a pod, or may be replaced. */
const KEEP_SOURCE = "0x1";
const REPLACE_SOURCE = "0x2";
/** Clients remembered at once; beyond that new ones are not, and are spread freely. */
const AFFINITY_ENTRIES_MAX = 65_536;
/** Elements per statement; nft's parser takes long lists badly. */
const ELEMENTS_PER_STATEMENT = 1_000;

const FRONTEND = "ipv4_addr . inet_proto . inet_service";
const FRONTEND_OF_PACKET = "ip daddr . meta l4proto . th dport";

const VERDICT_MAPS: readonly SetName[] = ["services", "refused", "sticky"];
const isMap = (set: SetName): boolean => set === "endpoints" || VERDICT_MAPS.includes(set);

/** Maps, sets and the fixed chains. Loading it over an older one empties all but the memory of affinities. */
export function baseScript({ nodeIP, podCidr }: TableConfig): string {
  const chains = fixedChains(nodeIP, podCidr);
  const names = Object.keys(chains);
  return [
    `table ip ${TABLE} {`,
    `  map endpoints { type ${FRONTEND} . mark : ipv4_addr . inet_service; }`,
    ...VERDICT_MAPS.map((map) => `  map ${map} { type ${FRONTEND} : verdict; }`),
    `  map affinity { type ipv4_addr . ${FRONTEND} : ipv4_addr . inet_service; size ${AFFINITY_ENTRIES_MAX}; flags dynamic,timeout; }`,
    "  set cluster-ips { type ipv4_addr; }",
    "  set hairpin { type ipv4_addr . ipv4_addr; }",
    `  set guarded { type ${FRONTEND}; }`,
    `  set allowed { type ${FRONTEND} . ipv4_addr; flags interval; }`,
    ...names.map((name) => `  chain ${name} {${hookOf[name] ?? ""} }`),
    "}",
    ...names.map((name) => `flush chain ip ${TABLE} ${name}`),
    ...VERDICT_MAPS.concat("endpoints").map((map) => `flush map ip ${TABLE} ${map}`),
    ...["cluster-ips", "hairpin", "guarded", "allowed"].map((set) => `flush set ip ${TABLE} ${set}`),
    ...names.flatMap((name) => (chains[name] ?? []).map((rule) => `add rule ip ${TABLE} ${name} ${rule}`)),
    "",
  ].join("\n");
}

const hookOf: Readonly<Record<string, string>> = {
  loopback: " type filter hook prerouting priority raw;",
  guard: " type filter hook prerouting priority -110;",
  prerouting: " type nat hook prerouting priority dstnat;",
  output: " type nat hook output priority -100;",
  "refuse-input": " type filter hook input priority filter;",
  "refuse-forward": " type filter hook forward priority filter;",
  "refuse-output": " type filter hook output priority filter;",
  "remember-input": " type filter hook input priority 10;",
  "remember-postrouting": " type filter hook postrouting priority 90;",
  postrouting: " type nat hook postrouting priority srcnat;",
};

function fixedChains(nodeIP: string, podCidr: string): Record<string, readonly string[]> {
  const dispatch = `${FRONTEND_OF_PACKET} vmap @services`;
  const refuse = "ct state new jump check";
  const remember = "ct state new ct status dnat jump remember";
  return {
    refuse: ["meta l4proto tcp reject with tcp reset", "reject with icmp type port-unreachable"],
    check: [`${FRONTEND_OF_PACKET} vmap @refused`, "ip daddr @cluster-ips goto refuse"],
    remember: ["tcp", "udp"].map(
      (protocol) => `meta l4proto ${protocol} ct original ip daddr . meta l4proto . ct original proto-dst vmap @sticky`,
    ),
    // Loopback addresses are routed on this node, for NodePorts on 127.0.0.1; from outside they stay unreachable.
    loopback: ['iifname != "lo" ip daddr 127.0.0.0/8 drop'],
    guard: [`ct state new ${FRONTEND_OF_PACKET} @guarded ${FRONTEND_OF_PACKET} . ip saddr != @allowed drop`],
    prerouting: [dispatch],
    output: [dispatch],
    "refuse-input": [refuse],
    "refuse-forward": [refuse],
    "refuse-output": [refuse],
    "remember-input": [remember],
    "remember-postrouting": [remember],
    postrouting: [
      `ct mark != { ${KEEP_SOURCE}, ${REPLACE_SOURCE} } return`,
      `ip saddr . ip daddr @hairpin snat to ${nodeIP}`,
      `ip saddr 127.0.0.0/8 snat to ${nodeIP}`,
      `ct mark ${REPLACE_SOURCE} ip saddr != ${podCidr} snat to ${nodeIP}`,
    ],
  };
}

/** A new load of everything, in one transaction; connections live on in conntrack. */
export const loadScript = (config: TableConfig, everything: Change): string =>
  baseScript(config) + changeScript(config, everything);

/** Empty when nothing changes. */
export function changeScript({ podCidr }: TableConfig, { added, removed, picks, affinitySeconds }: Change): string {
  return [
    ...newChains(podCidr, picks, affinitySeconds),
    ...statements("delete", removed, (element) => element.key),
    ...statements("add", added, (element) => (isMap(element.set) ? `${element.key} : ${element.value}` : element.key)),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function statements(
  verb: "add" | "delete",
  elements: readonly Element[],
  text: (element: Element) => string,
): string[] {
  const bySet = Map.groupBy(elements, (element) => element.set);
  return [...bySet].flatMap(([set, members]) => {
    const lines: string[] = [];
    for (let start = 0; start < members.length; start += ELEMENTS_PER_STATEMENT) {
      const part = members.slice(start, start + ELEMENTS_PER_STATEMENT).map(text);
      lines.push(`${verb} element ip ${TABLE} ${set} { ${part.join(", ")} }`);
    }
    return lines;
  });
}

/** Chains are shared and few (one per number of endpoints), so those no longer used stay until the next load. */
function newChains(podCidr: string, picks: ReadonlyMap<string, Pick>, affinitySeconds: readonly number[]): string[] {
  // A rule may jump only to a chain that is there: local picks fall back on plain ones.
  const chains = new Map<string, readonly string[]>(
    [...picks].flatMap(([name, pick]) =>
      "local" in pick
        ? [[plainName(pick), plainPick(pick)] as const, [name, localPick(pick, podCidr)] as const]
        : [[name, plainPick(pick)] as const],
    ),
  );
  for (const seconds of affinitySeconds) chains.set(`remember-${seconds}`, rememberRules(seconds));
  return [...chains].flatMap(([name, rules]) => [
    `add chain ip ${TABLE} ${name}`,
    `flush chain ip ${TABLE} ${name}`,
    ...rules.map((rule) => `add rule ip ${TABLE} ${name} ${rule}`),
  ]);
}

const BOTH = "meta l4proto { tcp, udp }";
const plainName = ({ endpoints, sticky }: Pick): string => `pick-${endpoints}${sticky ? "-sticky" : ""}`;

const recall = (sticky: boolean): string[] =>
  sticky ? [`${BOTH} dnat ip to ip saddr . ${FRONTEND_OF_PACKET} map @affinity`] : [];

const pickSlot = (count: number, first: number): string[] => [
  count === 1 ? `meta mark set ${first}` : `meta mark set numgen random mod ${count} offset ${first}`,
  `${BOTH} dnat ip to ${FRONTEND_OF_PACKET} . meta mark map @endpoints`,
];

const plainPick = ({ endpoints, sticky }: Pick): string[] => [
  `ct mark set ${REPLACE_SOURCE}`,
  ...recall(sticky),
  ...pickSlot(endpoints, 0),
];

/** Pods and the node itself may use every endpoint; the rest only those here. Source: kube-proxy, "short-circuit". */
function localPick(pick: Pick & { local: number }, podCidr: string): string[] {
  const { local, sticky } = pick;
  return [
    `ip saddr ${podCidr} goto ${plainName(pick)}`,
    `fib saddr type local goto ${plainName(pick)}`,
    ...(local === 0 ? ["drop"] : [`ct mark set ${KEEP_SOURCE}`, ...recall(sticky), ...pickSlot(local, LOCAL_SLOTS)]),
  ];
}

/** Runs when the endpoint is known, so it is that which is remembered; every new connection prolongs the memory. */
const rememberRules = (seconds: number): string[] =>
  ["tcp", "udp"].map(
    (protocol) =>
      `meta l4proto ${protocol} update @affinity { ip saddr . ct original ip daddr . meta l4proto . ct original proto-dst timeout ${seconds}s : ip daddr . th dport }`,
  );
