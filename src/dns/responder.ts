/** From the bytes of a question to the bytes of its answer: everything of the server but its sockets. */
import { decode, type Packet } from "dns-packet";
import type { Env } from "../lib/env.ts";
import { type DnsIndex, type DnsView, dnsIndexer } from "./dnsIndex.ts";
import { encodeResponse, type Response } from "./encodeResponse.ts";
import type { Forwarder } from "./forwarder.ts";
import { HEADER_BYTES, questionEnd } from "./message.ts";
import { type Answer, answerQuestion, empty } from "./records.ts";
import type { DnsRecord, ResponseCode } from "./wire.ts";

export interface ResponderConfig {
  readonly env: Env;
  /** Called for every question: gives the same object until something in it changes. */
  readonly view: () => DnsView;
  readonly forwarder: Forwarder;
  readonly zone?: string;
}

export type Responder = (query: Uint8Array, transport: "udp" | "tcp") => Promise<Uint8Array | undefined>;

/** What a client without EDNS takes. Source: RFC 1035, 2.3.4. */
const UDP_BYTES = 512;
/** What we take. Source: CoreDNS and the DNS flag day of 2020. */
const OWN_UDP_BYTES = 1_232;
const TCP_BYTES = 65_535;
/** Aliases followed in one answer. Source: CoreDNS plugin/kubernetes, maximum recursion. */
const ALIASES_MAX = 8;

interface Query {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly class: string;
  readonly question: Uint8Array;
  readonly recursionDesired: boolean;
  readonly edns?: { readonly udpPayloadSize: number; readonly dnssecOk: boolean; readonly version: number };
}

export function createResponder({ env, view, forwarder, zone = "cluster.local" }: ResponderConfig): Responder {
  const indexOf = currentIndex(env, view, zone);

  /** The records behind an alias: the cluster's own or, by a question of ours, anybody else's. */
  const follow = async (alias: string, type: string, left: number): Promise<DnsRecord[]> => {
    if (left === 0) return [];
    const answer = answerQuestion(indexOf(), { name: alias, type });
    if (answer.kind === "answer") {
      const more = answer.follow === undefined ? [] : await follow(answer.follow, type, left - 1);
      return [...answer.answers, ...more];
    }
    const message = await forwarder.forward(questionFor(alias, type, env.random.int(0x10000)), "udp");
    return message === undefined ? [] : addressRecords(message);
  };

  return async (bytes, transport) => {
    const query = readQuery(bytes);
    if (query === undefined) return undefined;
    const maxBytes =
      transport === "tcp" ? TCP_BYTES : Math.max(UDP_BYTES, Math.min(query.edns?.udpPayloadSize ?? 0, 4_096));
    const respond = (code: ResponseCode, answer?: Answer & { kind: "answer" }, followed: readonly DnsRecord[] = []) =>
      encodeResponse(responseTo(query, code, env, answer, followed), maxBytes);
    if (typeof query.type !== "string" || query.question.length === 0) return respond("FORMERR");
    if ((query.edns?.version ?? 0) > 0) return respond("BADVERS");
    if (((bytes[2] as number) & 0x78) !== 0) return respond("NOTIMP");
    // Source: CoreDNS core/dnsserver/server.go, ServeDNS.
    if (query.class !== "IN" && query.class !== "ANY") return respond("REFUSED");
    const answer = answerQuestion(indexOf(), query);
    if (answer.kind === "forward") return (await forwarder.forward(bytes, transport)) ?? respond("SERVFAIL");
    const followed = answer.follow === undefined ? [] : await follow(answer.follow, query.type, ALIASES_MAX);
    // Source: CoreDNS plugin/backend_lookup.go: an alias within the zone that leads to nothing is not mentioned.
    const leadsNowhere =
      answer.follow !== undefined && isWithin(answer.follow, zone) && followed.every(({ type }) => type === "CNAME");
    if (leadsNowhere) return respond("NOERROR", empty(indexOf()));
    return respond(answer.code, answer, followed);
  };
}

const isWithin = (name: string, zone: string): boolean => `.${name.toLowerCase()}`.endsWith(`.${zone}`);

/** The index of the present view, made when the first question after a change comes. */
function currentIndex(env: Env, view: () => DnsView, zone: string): () => DnsIndex {
  const indexer = dnsIndexer(zone);
  let known: { view: DnsView; index: DnsIndex } | undefined;
  return () => {
    const present = view();
    if (known?.view !== present) {
      known = { view: present, index: indexer(present, Math.floor(env.clock.now() / 1000)) };
    }
    return known.index;
  };
}

function responseTo(
  query: Query,
  code: ResponseCode,
  env: Env,
  answer: (Answer & { kind: "answer" }) | undefined,
  followed: readonly DnsRecord[],
): Response {
  const all = [...(answer?.answers ?? []), ...followed];
  const aliases = all.filter(({ type }) => type === "CNAME");
  return {
    id: query.id,
    code,
    question: query.question,
    authoritative: answer !== undefined,
    recursionDesired: query.recursionDesired,
    recursionAvailable: false,
    // Aliases first, the rest in another order each time, so that clients spread. Source: CoreDNS plugin/loadbalance.
    answers: [
      ...aliases,
      ...shuffled(
        all.filter(({ type }) => type !== "CNAME"),
        env,
      ),
    ],
    authorities: answer?.authorities ?? [],
    additionals: shuffled(answer?.additionals ?? [], env),
    ...(query.edns === undefined ? {} : { edns: { udpPayloadSize: OWN_UDP_BYTES, dnssecOk: query.edns.dnssecOk } }),
  };
}

function shuffled<T>(items: readonly T[], { random }: Env): T[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.int(index + 1);
    [result[index], result[other]] = [result[other] as T, result[index] as T];
  }
  return result;
}

/** undefined: not a question at all, and not worth an answer. A question that makes no sense has no question bytes. */
function readQuery(bytes: Uint8Array): Query | undefined {
  if (bytes.length < HEADER_BYTES || ((bytes[2] as number) & 0x80) !== 0) return undefined;
  const id = ((bytes[0] as number) << 8) | (bytes[1] as number);
  const recursionDesired = ((bytes[2] as number) & 1) !== 0;
  const end = questionEnd(bytes);
  const nonsense = { id, recursionDesired, name: "", type: "", class: "", question: new Uint8Array() };
  if (end === undefined) return nonsense;
  let packet: Packet;
  try {
    packet = decode(Buffer.from(bytes));
  } catch {
    return nonsense;
  }
  const [question, ...more] = packet.questions ?? [];
  if (question === undefined || more.length > 0) return nonsense;
  const opt = packet.additionals?.find((record) => record.type === "OPT");
  return {
    id,
    recursionDesired,
    name: question.name,
    type: question.type,
    class: question.class ?? "IN",
    question: bytes.subarray(HEADER_BYTES, end),
    ...(opt === undefined
      ? {}
      : { edns: { udpPayloadSize: opt.udpPayloadSize, dnssecOk: opt.flag_do, version: opt.ednsVersion } }),
  };
}

function questionFor(name: string, type: string, id: number): Uint8Array {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]);
  const header = [id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...labels, 0, 0, type === "AAAA" ? 28 : 1, 0, 1]);
}

function addressRecords(message: Uint8Array): DnsRecord[] {
  try {
    return (decode(Buffer.from(message)).answers ?? []).flatMap((record): DnsRecord[] =>
      record.type === "A" || record.type === "AAAA" || record.type === "CNAME"
        ? [{ name: record.name, type: record.type, ttl: record.ttl ?? 0, data: record.data }]
        : [],
    );
  } catch {
    return [];
  }
}
