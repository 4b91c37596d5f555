import { type Duplex, duplexPair } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { VirtualClock } from "../lib/virtualClock.ts";
import { acceptPortForward } from "./portForward.ts";
import {
  refusalOf,
  serveUpgrades,
  spdyClient,
  type TestServer,
  upgradeToSpdy,
  webSocketClient,
  webSocketTunnel,
} from "./testClients.ts";

const BIG = Buffer.alloc(4 * 2 ** 20, "x");
const TUNNEL = "SPDY/3.1+portforward.k8s.io";
const REFUSED = "connect: connection refused";

const PART = 2 ** 18;
const parts = (all: Buffer) =>
  Array.from({ length: all.length / PART }, (_, index) => all.subarray(index * PART, (index + 1) * PART));

let server: TestServer;
let clock: VirtualClock;
/** The pod's ends of all connections, by port. */
let pod: Map<number, Duplex[]>;
afterEach(() => server.close());

/** Ports from 9000 on are refused. */
async function serve(): Promise<number> {
  clock = new VirtualClock();
  pod = new Map();
  const dial = async (port: number): Promise<Duplex> => {
    if (port >= 9000) throw new Error(REFUSED);
    const [ours, theirs] = duplexPair();
    // As a socket does whose peer has closed it.
    theirs.once("close", () => ours.destroy(theirs.errored ?? undefined));
    pod.set(port, [...(pod.get(port) ?? []), theirs]);
    return ours;
  };
  server = await serveUpgrades((request, socket, head) => {
    const ports = new URL(request.url ?? "", "http://x").searchParams.getAll("ports");
    return acceptPortForward(request, socket, head, { dial, ports, clock });
  });
  return server.port;
}

/** The nth connection to that port, as the pod's program has it. */
const podEnd = async (port: number, nth = 0): Promise<Duplex> => {
  await vi.waitFor(() => expect(pod.get(port)?.[nth]).toBeDefined());
  return pod.get(port)?.[nth] as Duplex;
};

/** What the pod hears, until the other side ends. */
const heard = (stream: Duplex): Promise<string> =>
  new Promise((resolve) => {
    let all = "";
    stream.on("data", (chunk: Buffer) => {
      all += chunk;
    });
    stream.on("end", () => resolve(all));
  });

const clients: [string, (port: number) => Promise<Duplex>][] = [
  ["SPDY", async (port) => (await upgradeToSpdy(port, "portforward.k8s.io")).socket],
  ["SPDY in a WebSocket", (port) => webSocketTunnel(port, TUNNEL)],
];

describe.each(clients)("over %s", (_name, connect) => {
  const open = async () => {
    const socket = await connect(await serve());
    const client = spdyClient(socket);
    let requests = 0;
    /** Two streams, as kubectl opens them: it ends its half of the first at once. */
    const forward = async (port: number | string) => {
      const headers = { port: `${port}`, requestid: `${requests++}` };
      const error = await client.open({ ...headers, streamtype: "error" });
      client.send(error, "", true);
      return { error, data: await client.open({ ...headers, streamtype: "data" }) };
    };
    return { ...client, socket, forward };
  };

  test("bytes, half-closes and the end of several connections to several ports", async () => {
    const { forward, send, text, ended, socket } = await open();
    const [one, two, three] = [await forward(80), await forward(80), await forward(81)];
    const ends = [await podEnd(80, 0), await podEnd(80, 1), await podEnd(81)];
    for (const [index, end] of ends.entries()) void heard(end).then((all) => end.end(`${index} heard ${all}`));
    for (const { data } of [three, one, two]) send(data, `hello ${data}`, true);
    const all = [one, two, three];
    await vi.waitFor(() => expect(all.every(({ data, error }) => ended.has(data) && ended.has(error))).toBe(true));
    expect(all.map(({ data }) => text(data))).toEqual(all.map(({ data }, index) => `${index} heard hello ${data}`));
    expect(all.map(({ error }) => text(error))).toEqual(["", "", ""]);
    socket.destroy();
  });

  test("a program that breaks its connection off ends it for the client, who hears all that it had said", async () => {
    const { forward, text, ended, wasReset, send, socket } = await open();
    const { data, error } = await forward(80);
    send(data, "a question that nobody reads");
    const end = await podEnd(80);
    await new Promise((resolve) => end.write("last words", resolve));
    await vi.waitFor(() => expect(text(data)).toBe("last words"));
    const another = await forward(80);
    const broken = await podEnd(80, 1);
    broken.write("and more");
    for (const one of [end, broken]) one.on("error", () => undefined).destroy(new Error("connection reset by peer"));
    const all = [data, error, another.data, another.error];
    await vi.waitFor(() => expect(all.every((stream) => ended.has(stream))).toBe(true));
    expect(wasReset).toEqual(new Set());
    socket.destroy();
  });

  test.each([
    [9000, `error forwarding port 9000 to pod: ${REFUSED}`],
    [0, 'error forwarding port 0 to pod: unable to parse "0" as a port'],
    ["http", 'error forwarding port http to pod: unable to parse "http" as a port'],
  ])("port %s fails for itself, and the connection goes on", async (port, message) => {
    const { forward, send, text, ended, socket } = await open();
    const failed = await forward(port);
    for (const part of parts(BIG)) send(failed.data, part);
    await vi.waitFor(() => expect(ended.has(failed.error) && ended.has(failed.data)).toBe(true));
    expect(text(failed.error)).toBe(message);
    const good = await forward(80);
    (await podEnd(80)).end("here");
    await vi.waitFor(() => expect(text(good.data)).toBe("here"));
    socket.destroy();
  });

  test("a connection that the pod closes while the client is talking does not stop the others", async () => {
    const { forward, send, text, ended, socket } = await open();
    const one = await forward(80);
    const end = await podEnd(80);
    end.end("enough");
    end.resume();
    await vi.waitFor(() => expect(ended.has(one.data)).toBe(true));
    end.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    for (const part of parts(BIG)) send(one.data, part);
    const two = await forward(81);
    (await podEnd(81)).write("next");
    await vi.waitFor(() => expect(text(two.data)).toBe("next"));
    socket.destroy();
  });

  test("a stream that the client resets closes its connection, and only that", async () => {
    const { forward, reset, text, socket } = await open();
    const [one, two] = [await forward(80), await forward(81)];
    const [gone, kept] = [await podEnd(80), await podEnd(81)];
    void heard(gone);
    reset(one.data);
    await vi.waitFor(() => expect(gone.readableEnded || gone.destroyed).toBe(true));
    kept.write("still here");
    await vi.waitFor(() => expect(text(two.data)).toBe("still here"));
    socket.destroy();
  });

  test("much data passes whole, both ways", async () => {
    const { forward, send, length, socket } = await open();
    const { data } = await forward(80);
    const end = await podEnd(80);
    const all = heard(end);
    for (const part of parts(BIG)) send(data, part);
    send(data, "", true);
    expect((await all).length).toBe(BIG.length);
    end.end(BIG);
    await vi.waitFor(() => expect(length(data)).toBe(BIG.length), 10_000);
    socket.destroy();
  });

  test("half of a pair is given up after half a minute, and all ends with the client", async () => {
    const { forward, open: openStream, text, ended, socket } = await open();
    const error = await openStream({ streamtype: "error", port: "80", requestid: "x" });
    await forward(81);
    const end = await podEnd(81);
    await clock.advance(30_000);
    await vi.waitFor(() => expect(ended.has(error)).toBe(true));
    expect(text(error)).toContain("timed out waiting for the other stream of request x");
    socket.destroy();
    end.resume();
    await vi.waitFor(() => expect(end.readableEnded || end.destroyed).toBe(true));
  });
});

describe.each(["v4.channel.k8s.io", "v4.base64.channel.k8s.io", undefined])("over channels, %s", (protocol) => {
  const open = async (...ports: number[]) => {
    const query = ports.map((port) => `ports=${port}`).join("&");
    return webSocketClient(await serve(), protocol === undefined ? [] : [protocol], `/?${query}`);
  };
  const header = (port: number) => Buffer.from([port & 0xff, port >> 8]).toString();

  test("each port has two channels, which begin with its number", async () => {
    const client = await open(80, 8080);
    const ends = [await podEnd(80), await podEnd(8080)];
    for (const end of ends) end.on("data", (chunk: Buffer) => end.end(`heard ${chunk}`));
    client.send(0, "one");
    client.send(2, "two");
    expect(await client.closed).toBe(1000);
    expect([0, 1, 2, 3].map(client.text)).toEqual([
      `${header(80)}heard one`,
      header(80),
      `${header(8080)}heard two`,
      header(8080),
    ]);
  });

  test("a port that is refused says so and leaves the others alone", async () => {
    const client = await open(9000, 80);
    const end = await podEnd(80);
    await vi.waitFor(() => expect(client.text(1)).toBe(`${header(9000)}error forwarding port 9000 to pod: ${REFUSED}`));
    client.send(0, "to nobody");
    end.on("data", (chunk: Buffer) => end.end(`heard ${chunk}`));
    client.send(2, "hello");
    expect(await client.closed).toBe(1000);
    expect(client.text(2)).toBe(`${header(80)}heard hello`);
  });

  test("much data passes whole, and a pod that does not read holds the client back", async () => {
    const client = await open(80);
    const end = await podEnd(80);
    for (const part of parts(BIG)) client.send(0, part);
    await new Promise((resolve) => setTimeout(resolve, 50));
    let length = 0;
    end.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length === BIG.length) end.end(BIG);
    });
    expect(await client.closed).toBe(1000);
    expect(client.length(0)).toBe(BIG.length + 2);
  });

  test("what the client said before it went still reaches the pod", async () => {
    const client = await open(80);
    const all = heard(await podEnd(80));
    client.send(0, "last words");
    client.webSocket.close();
    expect(await all).toBe("last words");
  });
});

test.each([
  ["/", '400 query parameter "port" is required'],
  ["/?ports=0", '400 unable to parse "0" as a port'],
  ["/?ports=70000", '400 unable to parse "70000" as a port'],
  ["/?ports=http", '400 unable to parse "http" as a port'],
])("channels for %s are refused", async (path, want) => {
  const headers = {
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "v4.channel.k8s.io",
  };
  expect(await refusalOf(await serve(), headers, path)).toBe(want);
});

test("a SPDY client of another protocol is refused", async () => {
  expect(
    await refusalOf(await serve(), { upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" }),
  ).toMatch(/^403 .* server accepts \[portforward.k8s.io\]$/);
});
