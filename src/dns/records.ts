/**
 * What the cluster's DNS says, decided from Services and EndpointSlices: pure, following the Kubernetes DNS specification
 * (kubernetes/dns docs/specification.md, 1.1.0) and, where that is silent, CoreDNS's kubernetes plugin as kubeadm sets it
 * up (zone cluster.local, `pods insecure`, reverse zones falling through, ttl 30).
 *
 * Names are compared without regard to case; answers repeat the question's spelling. A name that nobody in the cluster
 * has is NXDOMAIN; one that is there without the asked type is an empty answer; both carry the zone's SOA.
 */
import type { DnsIndex, ServiceRecords } from "./dnsIndex.ts";
import type { DnsRecord, RecordType } from "./wire.ts";

/** Source: kubeadm's Corefile, `ttl 30`. */
export const RECORD_TTL_SECONDS = 30;
/** Source: kubernetes/dns specification, 2.2. */
const SCHEMA_VERSION = "1.1.0";

export interface Question {
  readonly name: string;
  readonly type: RecordType | string;
}

export type Answer =
  | {
      readonly kind: "answer";
      readonly code: "NOERROR" | "NXDOMAIN";
      readonly answers: readonly DnsRecord[];
      readonly additionals: readonly DnsRecord[];
      readonly authorities: readonly DnsRecord[];
      /** An answer ends with this alias, which lies elsewhere: its addresses belong to the answer too. */
      readonly follow?: string;
    }
  /** Not the cluster's to say. */
  | { readonly kind: "forward" };

export function answerQuestion(index: DnsIndex, question: Question): Answer {
  const name = question.name.toLowerCase().replace(/\.$/, "");
  if (name.endsWith(".in-addr.arpa") || name.endsWith(".ip6.arpa")) return reverse(index, question, name);
  if (name === index.zone) return apex(index, question);
  if (!name.endsWith(`.${index.zone}`)) return { kind: "forward" };
  const labels = name.slice(0, -index.zone.length - 1).split(".");
  if (labels.length === 1 && labels[0] === "dns-version" && question.type === "TXT") {
    return found([{ name: question.name, type: "TXT", ttl: RECORD_TTL_SECONDS, data: SCHEMA_VERSION }]);
  }
  const target = labels.at(-1) === "svc" ? serviceTargets(index, labels) : podTargets(index, labels);
  return target === undefined ? missing(index) : typed(index, question, target);
}

/** One address behind a name, as SRV and A records see it. */
interface Target {
  /** The name that has this address. */
  readonly host: string;
  readonly ip?: string;
  /** An alias instead of an address. */
  readonly alias?: string;
  /** undefined: it has no port, so there is no SRV record. */
  readonly port?: number;
}

/** Labels in front of the zone, the last being "svc". undefined: there is no such name; empty: it has no records. */
function serviceTargets(index: DnsIndex, labels: readonly string[]): Target[] | undefined {
  const [namespace, service, second, third, ...more] = labels.slice(0, -1).reverse();
  if (namespace === undefined) return [];
  if (service === undefined) return index.namespaces.has(namespace) ? [] : undefined;
  const records = index.services.get(`${namespace}/${service}`);
  if (records === undefined || more.length > 0) return undefined;
  const host = `${service}.${namespace}.svc.${index.zone}`;
  // One label more is an endpoint's name; two are a port and its protocol.
  const endpoint = third === undefined ? second : undefined;
  const [port, protocol] = third === undefined ? [] : [withoutUnderscore(third), withoutUnderscore(second as string)];
  if (records.externalName !== undefined) {
    // What looks like an address is no name that anything could be an alias of.
    const isAlias = second === undefined && !isIPv4(records.externalName);
    return isAlias ? [{ host, alias: records.externalName }] : undefined;
  }
  const wanted = (one: { name: string; protocol: string }): boolean =>
    port === undefined || (one.name === port && one.protocol === protocol);
  const targets =
    endpoint !== undefined || records.headless
      ? endpointTargets(records, host, endpoint, wanted)
      : records.ports.filter(wanted).flatMap((one) => records.clusterIPs.map((ip) => ({ host, ip, port: one.port })));
  return targets.length > 0 ? targets : undefined;
}

function endpointTargets(
  { endpoints }: ServiceRecords,
  host: string,
  hostname: string | undefined,
  wanted: (port: { name: string; protocol: string }) => boolean,
): Target[] {
  return endpoints
    .filter((endpoint) => hostname === undefined || endpoint.hostname === hostname)
    .flatMap((endpoint) =>
      endpoint.ports.filter(wanted).map(({ port }) => ({
        host: `${endpoint.hostname}.${host}`,
        ip: endpoint.ip,
        ...(port === undefined ? {} : { port }),
      })),
    );
}

const withoutUnderscore = (label: string): string => label.replace(/^_/, "");

/** "10-244-0-5.default.pod": the address that the name spells, whether or not such a pod exists. */
function podTargets(index: DnsIndex, labels: readonly string[]): Target[] | undefined {
  const [kind, namespace, pod, ...more] = labels.toReversed();
  if (kind !== "pod" || more.length > 0) return undefined;
  if (namespace === undefined) return [];
  if (!index.namespaces.has(namespace)) return undefined;
  if (pod === undefined) return [];
  const ip = /^\d+-\d+-\d+-\d+$/.test(pod) ? pod.replaceAll("-", ".") : pod.replaceAll("-", ":");
  if (!isIPv4(ip) && !isIPv6(ip)) return undefined;
  return [{ host: `${pod}.${namespace}.pod.${index.zone}`, ip }];
}

const isIPv4 = (text: string): boolean => {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256);
};

const isIPv6 = (text: string): boolean => URL.canParse(`http://[${text}]/`);

function typed(index: DnsIndex, { name, type }: Question, targets: readonly Target[]): Answer {
  const alias = targets.find((target) => target.alias !== undefined)?.alias;
  if (alias !== undefined && (type === "A" || type === "AAAA" || type === "CNAME")) {
    const answer = found([{ name, type: "CNAME", ttl: RECORD_TTL_SECONDS, data: alias }]);
    return type === "CNAME" ? answer : { ...answer, follow: alias };
  }
  if (type === "SRV") return services(index, name, targets);
  const ips = targets.flatMap(({ ip }) => (ip !== undefined && addressType(ip) === type ? [ip] : []));
  if (ips.length === 0) return empty(index);
  return found([...new Set(ips)].map((ip) => addressRecord(name, ip)));
}

const addressType = (ip: string): "A" | "AAAA" => (isIPv4(ip) ? "A" : "AAAA");

const addressRecord = (name: string, ip: string): DnsRecord => ({
  name,
  type: addressType(ip),
  ttl: RECORD_TTL_SECONDS,
  data: ip,
});

/** All of equal weight; their addresses come along. Source: CoreDNS plugin/backend_lookup.go, SRV. */
function services(index: DnsIndex, name: string, targets: readonly Target[]): Answer {
  const withPort = targets.filter((target) => target.port !== undefined && target.ip !== undefined);
  if (withPort.length === 0) return empty(index);
  const weight = Math.max(1, Math.floor(100 / targets.length));
  const answers = withPort.map(({ host, port }): DnsRecord => {
    const data = { priority: 0, weight, port: port as number, target: host };
    return { name, type: "SRV", ttl: RECORD_TTL_SECONDS, data };
  });
  const additionals = withPort.map(({ host, ip }) => addressRecord(host, ip as string));
  return { ...found(distinct(answers)), additionals: distinct(additionals) };
}

const distinct = (records: readonly DnsRecord[]): DnsRecord[] => [
  ...new Map(records.map((record) => [JSON.stringify([record.name, record.data]), record])).values(),
];

function reverse(index: DnsIndex, { name, type }: Question, lowered: string): Answer {
  const names = type === "PTR" ? index.reverse().get(lowered) : undefined;
  if (names === undefined) return { kind: "forward" };
  return found(names.map((data) => ({ name, type: "PTR", ttl: RECORD_TTL_SECONDS, data })));
}

function apex(index: DnsIndex, { name, type }: Question): Answer {
  if (type === "SOA") return found([startOfAuthority(index)]);
  const server = index.services.get(index.dnsService);
  const [serviceNamespace, serviceName] = index.dnsService.split("/");
  const host = `${serviceName}.${serviceNamespace}.svc.${index.zone}`;
  if (type !== "NS" || server === undefined) return empty(index);
  const answer = found([{ name, type: "NS", ttl: RECORD_TTL_SECONDS, data: host }]);
  return { ...answer, additionals: server.clusterIPs.map((ip) => addressRecord(host, ip)) };
}

const found = (answers: readonly DnsRecord[]) =>
  ({ kind: "answer", code: "NOERROR", answers, additionals: [], authorities: [] }) as const;

/** The name is there, and has nothing of that type. */
export const empty = (index: DnsIndex): Answer & { kind: "answer" } => ({
  ...found([]),
  authorities: [startOfAuthority(index)],
});

const missing = (index: DnsIndex): Answer => ({
  ...found([]),
  code: "NXDOMAIN",
  authorities: [startOfAuthority(index)],
});

/** Source: CoreDNS plugin/backend_lookup.go, SOA. */
const startOfAuthority = ({ zone, serial }: DnsIndex): DnsRecord => ({
  name: zone,
  type: "SOA",
  ttl: RECORD_TTL_SECONDS,
  data: {
    mname: `ns.dns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial,
    refresh: 7_200,
    retry: 1_800,
    expire: 86_400,
    minimum: RECORD_TTL_SECONDS,
  },
});
