import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, type DecodedPacket, decode, encode, type Packet, streamEncode } from "dns-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clock, Env } from "../lib/env.ts";
import { seededRandom } from "../lib/random.ts";
import type { DnsView } from "./dnsIndex.ts";
import { exchange } from "./exchange.ts";
import { createForwarder } from "./forwarder.ts";
import { splitFrames } from "./frames.ts";
import { startRelay } from "./relay.ts";
import { type DnsServer, startDns } from "./server.ts";
import { dnsService, dnsSlice } from "./viewNotation.ts";

const silent: Env["log"] = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const timers: Clock = {
  now: () => 1_700_000_000_000,
  monotonic: () => performance.now(),
  setTimer: (delayMs, run) => {
    const timer = setTimeout(run, delayMs / 20);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};
const env: Env = { clock: timers, random: seededRandom("dns"), log: silent };

const IN = "default.svc.cluster.local";
const manyEndpoints = Array.from({ length: 100 }, (_, index) => `10.244.1.${index + 1}`).join(" ");
let view: DnsView = {
  namespaces: ["default"],
  services: [
    dnsService("default/web 10.96.0.9 80"),
    dnsService("default/many None 80"),
    dnsService("default/three None 80"),
    dnsService("default/outside example.com"),
    dnsService(`default/inside web.${IN}`),
    dnsService(`default/circle circle.${IN}`),
    dnsService(`default/gone nobody.${IN}`),
  ],
  slices: [dnsSlice(`default/many 80 ${manyEndpoints}`), dnsSlice("default/three 80 10.244.2.1 10.244.2.2 10.244.2.3")],
};

/** A resolver of the machine: example.com has an address, big.example.com is long, nothing else exists. */
async function upstreamServer() {
  const asked: string[] = [];
  const answer = (query: DecodedPacket): Packet => {
    const name = query.questions?.[0]?.name ?? "";
    asked.push(name);
    const answers: Answer[] = name.endsWith("example.com") ? [{ type: "A", name, ttl: 300, data: "192.0.2.7" }] : [];
    return {
      type: "response",
      id: query.id,
      flags: 0x180 | (answers.length ? 0 : 3),
      questions: query.questions,
      answers,
    };
  };
  const udp = createSocket("udp4");
  udp.on("message", (message, from) => {
    const query = decode(message);
    const name = query.questions?.[0]?.name;
    if (name === "silent.test") return;
    if (name === "lost.example.com" && !asked.includes(name)) return void asked.push(name);
    udp.send(encode(answer(query)), from.port, from.address);
  });
  const tcp = createServer((socket) =>
    socket.on(
      "data",
      splitFrames((query) => socket.write(streamEncode(answer(decode(Buffer.from(query)))))),
    ),
  );
  // TCP first: its ports are the scarcer ones.
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  const { port } = tcp.address() as AddressInfo;
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  return {
    asked,
    address: `127.0.0.1#${port}`,
    close: () => {
      udp.close();
      tcp.close();
    },
  };
}

let upstream: Awaited<ReturnType<typeof upstreamServer>>;
let server: DnsServer;

beforeAll(async () => {
  upstream = await upstreamServer();
  server = await startDns({
    env,
    address: "127.0.0.1",
    port: 0,
    view: () => view,
    upstreams: () => [upstream.address],
  });
});
afterAll(async () => {
  await server.close();
  upstream.close();
});

function send(message: Uint8Array, port = server.port): Promise<DecodedPacket> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.on("message", (answer) => {
      socket.close();
      resolve(decode(answer));
    });
    socket.send(message, port, "127.0.0.1");
  });
}

const query = (name: string, type: "A" | "AAAA" | "SRV" = "A", additionals: Answer[] = []): Packet => ({
  type: "query",
  id: 4711,
  flags: 0x100,
  questions: [{ name, type }],
  additionals,
});

const edns = (udpPayloadSize: number): Answer => ({
  type: "OPT",
  name: ".",
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
});

const udp = (name: string, type?: "A" | "AAAA" | "SRV", additionals?: Answer[]) =>
  send(encode(query(name, type, additionals)));

function tcp(...names: string[]): Promise<DecodedPacket[]> {
  const socket = connect(server.port, "127.0.0.1");
  const answers: DecodedPacket[] = [];
  return new Promise((resolve) => {
    const take = splitFrames((answer) => {
      answers.push(decode(Buffer.from(answer)));
      if (answers.length === names.length) socket.destroy();
    });
    socket.on("data", take);
    socket.on("close", () => resolve(answers));
    socket.write(Buffer.concat(names.map((name) => streamEncode(query(name)))));
  });
}

const data = (packet: DecodedPacket | undefined): unknown[] =>
  (packet?.answers ?? []).map((answer) => (answer as { data?: unknown }).data);
const code = (packet: DecodedPacket): unknown => (packet as unknown as { rcode: string }).rcode;

describe("the DNS server", () => {
  it("answers for the cluster with authority, and keeps id and question", async () => {
    const answer = await udp(`web.${IN}`);
    expect(answer).toMatchObject({ id: 4711, flag_aa: true, flag_rd: true, flag_tc: false });
    expect(answer.questions?.[0]?.name).toBe(`web.${IN}`);
    expect(answer.answers).toMatchObject([{ name: `web.${IN}`, type: "A", ttl: 30, data: "10.96.0.9" }]);
  });

  it("says NXDOMAIN with the zone's authority", async () => {
    const answer = await udp(`nope.${IN}`);
    expect(code(answer)).toBe("NXDOMAIN");
    expect(answer.authorities).toMatchObject([{ type: "SOA", name: "cluster.local", ttl: 30, data: { minimum: 30 } }]);
  });

  it("sees a change of the view at once", async () => {
    view = { ...view, services: [...view.services, dnsService("default/new 10.96.0.77 80")] };
    expect(data(await udp(`new.${IN}`))).toEqual(["10.96.0.77"]);
  });

  it("fits what it can into a datagram, says that there is more, and gives all by TCP", async () => {
    const small = await udp(`many.${IN}`);
    expect(small.flag_tc).toBe(true);
    expect(data(small).length).toBeGreaterThan(20);
    expect(data(await udp(`many.${IN}`, "A", [edns(4_096)]))).toHaveLength(100);
    expect(data((await tcp(`many.${IN}`))[0])).toHaveLength(100);
  });

  it("answers several questions on one TCP connection", async () => {
    const answers = await tcp(`web.${IN}`, `three.${IN}`, "example.com");
    expect(answers.map((answer) => data(answer).length).toSorted()).toEqual([1, 1, 3]);
  });

  it("answers EDNS with EDNS", async () => {
    expect((await udp(`web.${IN}`, "A", [edns(1_232)])).additionals).toMatchObject([
      { type: "OPT", udpPayloadSize: 1_232 },
    ]);
    expect((await udp(`web.${IN}`)).additionals).toEqual([]);
  });

  it("gives addresses in changing order", async () => {
    const firsts = new Set<unknown>();
    for (let round = 0; round < 30; round++) firsts.add(data(await udp(`three.${IN}`))[0]);
    expect(firsts.size).toBe(3);
  });

  it("writes SRV records that another decoder understands", async () => {
    const answer = await udp(`three.${IN}`, "SRV");
    expect(data(answer)).toContainEqual({ priority: 0, weight: 33, port: 80, target: `10-244-2-1.three.${IN}` });
    expect(answer.additionals).toHaveLength(3);
  });

  it("follows an alias inside the cluster, outside it, and not for ever", async () => {
    expect(data(await udp(`inside.${IN}`))).toEqual([`web.${IN}`, "10.96.0.9"]);
    expect(data(await udp(`outside.${IN}`))).toEqual(["example.com", "192.0.2.7"]);
  });

  it.each([
    ["one that leads to itself", `circle.${IN}`, "A"],
    ["one to a name without such an address", `inside.${IN}`, "AAAA"],
    ["one to a name that is not there", `gone.${IN}`, "A"],
  ] as const)("does not mention an alias inside the cluster that leads nowhere: %s", async (_name, name, type) => {
    const answer = await send(encode(query(name, type)));
    expect(code(answer)).toBe("NOERROR");
    expect(data(answer)).toEqual([]);
    expect(answer.authorities).toMatchObject([{ type: "SOA", name: "cluster.local" }]);
  });

  it("asks the machine's resolver for other names, once while the answer holds", async () => {
    upstream.asked.length = 0;
    for (let round = 0; round < 3; round++) {
      expect(await udp("www.example.com")).toMatchObject({ id: 4711, answers: [{ data: "192.0.2.7" }] });
    }
    expect(upstream.asked).toEqual(["www.example.com"]);
    expect(code(await udp("nothing.test"))).toBe("NXDOMAIN");
  });

  it("says SERVFAIL when the resolver does not answer, or there is none", async () => {
    expect(code(await udp("silent.test"))).toBe("SERVFAIL");
    const alone = await startDns({ env, address: "127.0.0.1", port: 0, view: () => view, upstreams: () => [] });
    expect(code(await send(encode(query("example.com")), alone.port))).toBe("SERVFAIL");
    await alone.close();
  });

  it("asks again when a question is lost", async () => {
    expect(code(await udp("lost.example.com"))).toBe("NOERROR");
  });

  it("asks through a relay what only the relay reaches", async () => {
    const directory = mkdtempSync(join(tmpdir(), "skiff-dns-"));
    const path = join(directory, "dns.sock");
    const relay = await startRelay(
      path,
      createForwarder(env, () => [upstream.address], exchange),
    );
    const relayed = await startDns({
      env,
      address: "127.0.0.1",
      port: 0,
      view: () => view,
      upstreams: () => [`unix:${path}`],
    });
    try {
      expect(await send(encode(query("relayed.example.com")), relayed.port)).toMatchObject({
        answers: [{ name: "relayed.example.com", data: "192.0.2.7" }],
      });
      expect(code(await send(encode(query("silent.test")), relayed.port))).toBe("SERVFAIL");
      const nonsense = connect(path, () => nonsense.write(Buffer.from("000100", "hex")));
      await once(nonsense, "close");
      relay.close();
      expect(code(await send(encode(query("other.example.com")), relayed.port))).toBe("SERVFAIL");
    } finally {
      await relayed.close();
      rmSync(directory, { recursive: true });
    }
  });

  it("says REFUSED to other classes than the internet's", async () => {
    const chaos = { ...query("version.bind"), questions: [{ name: "version.bind", type: "TXT", class: "CH" }] };
    expect(code(await send(encode(chaos as Packet)))).toBe("REFUSED");
  });

  it("says FORMERR to nonsense, NOTIMP to what is no question, and nothing to answers", async () => {
    expect(code(await send(Buffer.from("000701000001000000000000ff", "hex")))).toBe("FORMERR");
    expect(code(await send(encode({ ...query(`web.${IN}`), flags: 0x2800 })))).toBe("NOTIMP");
  });
});
