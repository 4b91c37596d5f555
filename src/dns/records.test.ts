import { describe, expect, it } from "vitest";
import { type DnsView, dnsIndexer } from "./dnsIndex.ts";
import { answerQuestion } from "./records.ts";
import { dnsService, dnsSlice } from "./viewNotation.ts";
import type { DnsRecord } from "./wire.ts";

const VIEW: DnsView = {
  namespaces: ["default", "kube-system"],
  services: [
    dnsService("kube-system/kube-dns 10.96.0.10 dns:53/UDP dns-tcp:53"),
    dnsService("default/kubernetes 10.96.0.1 https:443"),
    dnsService("default/web 10.96.0.9 http:80 80"),
    dnsService("default/db None pg:5432"),
    dnsService("default/bare None"),
    dnsService("default/quiet None 80"),
    dnsService("default/six fd00::9 80"),
    dnsService("default/outside example.com"),
    dnsService("default/address >192.0.2.7"),
    dnsService("default/inside web.default.svc.cluster.local"),
  ],
  slices: [
    dnsSlice("default/web http:8080 10.244.0.2 10.244.0.3!"),
    dnsSlice("default/db pg:5432 10.244.0.4#db-0 10.244.0.5#db-1 10.244.0.6!#db-2 10.244.0.7"),
    dnsSlice("default/bare - 10.244.0.8"),
    dnsSlice("default/quiet 80 10.244.0.9!"),
  ],
};

/** "10.96.0.9 10.96.0.10", then "+ name=address" for additionals; NXDOMAIN, NODATA, or FORWARD. */
function ask(name: string, type = "A"): string {
  const index = dnsIndexer("cluster.local")(VIEW, 7);
  const answer = answerQuestion(index, { name, type });
  if (answer.kind === "forward") return "FORWARD";
  const soa = answer.authorities.map(({ type: kind, ttl }) => `${kind}/${ttl}`).join();
  if (answer.code === "NXDOMAIN") return `NXDOMAIN ${soa}`;
  if (answer.answers.length === 0) return `NODATA ${soa}`;
  const more = answer.additionals.map((record) => ` + ${record.name}=${show(record)}`).join("");
  return answer.answers.map(show).join(" ") + more;
}

function show(record: DnsRecord): string {
  if (record.type === "SRV") {
    const { priority, weight, port, target } = record.data;
    return `${priority}/${weight}/${port}/${target}`;
  }
  return record.type === "SOA" ? `${record.data.mname} ${record.data.rname} ${record.data.serial}` : record.data;
}

const IN = "default.svc.cluster.local";
const NXDOMAIN = "NXDOMAIN SOA/30";
const NODATA = "NODATA SOA/30";

describe("the cluster's names", () => {
  const cases: { name: string; ask: string; type?: string; want: string }[] = [
    { name: "a service's address", ask: `web.${IN}`, want: "10.96.0.9" },
    { name: "in whatever case, with or without a final dot", ask: `WEB.Default.SVC.cluster.LOCAL.`, want: "10.96.0.9" },
    { name: "the API server's", ask: `kubernetes.${IN}`, want: "10.96.0.1" },
    { name: "no IPv6 address of an IPv4 service", ask: `web.${IN}`, type: "AAAA", want: NODATA },
    { name: "an IPv6 service's address", ask: `six.${IN}`, type: "AAAA", want: "fd00::9" },
    { name: "no mail exchange, but the name is there", ask: `web.${IN}`, type: "MX", want: NODATA },
    { name: "a service that is not there", ask: `nope.${IN}`, want: NXDOMAIN },
    { name: "a service's name in another namespace", ask: "web.kube-system.svc.cluster.local", want: NXDOMAIN },
    { name: "what a search path makes of an outside name", ask: `example.com.${IN}`, want: NXDOMAIN },
    { name: "the ready endpoints of a headless service", ask: `db.${IN}`, want: "10.244.0.4 10.244.0.5 10.244.0.7" },
    { name: "those of one without ports", ask: `bare.${IN}`, want: "10.244.0.8" },
    { name: "nothing when no endpoint is ready", ask: `quiet.${IN}`, want: NXDOMAIN },
    { name: "one endpoint by its hostname", ask: `db-1.db.${IN}`, want: "10.244.0.5" },
    { name: "one endpoint by its address when it has no hostname", ask: `10-244-0-7.db.${IN}`, want: "10.244.0.7" },
    { name: "not one that is not ready", ask: `db-2.db.${IN}`, want: NXDOMAIN },
    { name: "one endpoint of a service that is not headless", ask: `10-244-0-2.web.${IN}`, want: "10.244.0.2" },
    { name: "a namespace, which has no records", ask: IN, want: NODATA },
    { name: "a namespace that is not there", ask: "nope.svc.cluster.local", want: NXDOMAIN },
    { name: "svc itself", ask: "svc.cluster.local", want: NODATA },
    { name: "labels that mean nothing", ask: "a.b.cluster.local", want: NXDOMAIN },
    { name: "more labels than any name has", ask: `a.b.c.web.${IN}`, want: NXDOMAIN },
    { name: "a pod's address, spelt out", ask: "10-244-0-2.default.pod.cluster.local", want: "10.244.0.2" },
    { name: "any pod's address, there or not", ask: "1-2-3-4.default.pod.cluster.local", want: "1.2.3.4" },
    { name: "a pod's IPv6 address", ask: "fd00--5.default.pod.cluster.local", type: "AAAA", want: "fd00::5" },
    { name: "a pod's name is no address", ask: "web-0.default.pod.cluster.local", want: NXDOMAIN },
    { name: "a pod in a namespace that is not there", ask: "1-2-3-4.nope.pod.cluster.local", want: NXDOMAIN },
    { name: "an alias for an outside name", ask: `outside.${IN}`, want: "example.com" },
    { name: "an alias asked for as such", ask: `outside.${IN}`, type: "CNAME", want: "example.com" },
    { name: "no alias for what looks like an address", ask: `address.${IN}`, want: NXDOMAIN },
    { name: "no port below an alias", ask: `_http._tcp.outside.${IN}`, type: "SRV", want: NXDOMAIN },
    {
      name: "a named port",
      ask: `_http._tcp.web.${IN}`,
      type: "SRV",
      want: `0/100/80/web.${IN} + web.${IN}=10.96.0.9`,
    },
    { name: "a named port by its address", ask: `_http._tcp.web.${IN}`, want: "10.96.0.9" },
    { name: "a named port under the wrong protocol", ask: `_http._udp.web.${IN}`, type: "SRV", want: NXDOMAIN },
    { name: "a port that is not there", ask: `_nope._tcp.web.${IN}`, type: "SRV", want: NXDOMAIN },
    {
      name: "a headless service's port, one record for each endpoint",
      ask: `_pg._tcp.db.${IN}`,
      type: "SRV",
      want: [
        ...["db-0", "db-1", "10-244-0-7"].map((host) => `0/33/5432/${host}.db.${IN}`),
        `+ db-0.db.${IN}=10.244.0.4 + db-1.db.${IN}=10.244.0.5 + 10-244-0-7.db.${IN}=10.244.0.7`,
      ].join(" "),
    },
    { name: "no port where none is declared", ask: `bare.${IN}`, type: "SRV", want: NODATA },
    { name: "a service by its address", ask: "9.0.96.10.in-addr.arpa", type: "PTR", want: `web.${IN}` },
    { name: "an endpoint by its address", ask: "5.0.244.10.in-addr.arpa", type: "PTR", want: `db-1.db.${IN}` },
    {
      name: "an IPv6 service by its address",
      ask: `9.${"0.".repeat(27)}0.0.d.f.ip6.arpa`,
      type: "PTR",
      want: `six.${IN}`,
    },
    { name: "another address is somebody else's", ask: "1.2.0.192.in-addr.arpa", type: "PTR", want: "FORWARD" },
    { name: "another name is somebody else's", ask: "example.com", want: "FORWARD" },
    { name: "a name that only ends alike is somebody else's", ask: "mycluster.local", want: "FORWARD" },
    {
      name: "the zone's authority",
      ask: "cluster.local",
      type: "SOA",
      want: "ns.dns.cluster.local hostmaster.cluster.local 7",
    },
    {
      name: "the zone's server",
      ask: "cluster.local",
      type: "NS",
      want: "kube-dns.kube-system.svc.cluster.local + kube-dns.kube-system.svc.cluster.local=10.96.0.10",
    },
    { name: "the zone itself has no address", ask: "cluster.local", want: NODATA },
    { name: "the version of the specification", ask: "dns-version.cluster.local", type: "TXT", want: "1.1.0" },
  ];
  it.each(cases)("$name: $ask", ({ ask: name, type, want }) => {
    expect(ask(name, type)).toBe(want);
  });
});

describe("from one view to the next", () => {
  it("a service whose objects did not change keeps its records, and what changed is seen", () => {
    const indexer = dnsIndexer("cluster.local");
    const first = indexer(VIEW, 1);
    const slices = VIEW.slices.with(1, dnsSlice("default/db pg:5432 10.244.0.99#db-0"));
    const second = indexer({ ...VIEW, slices }, 2);
    expect(second.services.get("default/web")).toBe(first.services.get("default/web"));
    expect(second.services.get("default/db")?.endpoints.map(({ ip }) => ip)).toEqual(["10.244.0.99"]);
    expect(second.reverse().has("4.0.244.10.in-addr.arpa")).toBe(false);
  });
});
