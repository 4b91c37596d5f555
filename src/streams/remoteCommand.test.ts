import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { VirtualClock } from "../lib/virtualClock.ts";
import type { RemoteCommandStreams } from "./channels.ts";
import { acceptRemoteCommand, streamOptions } from "./remoteCommand.ts";
import {
  refusalOf,
  serveUpgrades,
  spdyClient,
  type TestServer,
  upgradeToSpdy,
  webSocketClient,
} from "./testClients.ts";

const ALL = streamOptions(new URLSearchParams("stdin=1&stdout=1&stderr=1"));
const TERMINAL = streamOptions(new URLSearchParams("stdin=1&stdout=1&tty=1"));
const OUTPUT = streamOptions(new URLSearchParams("stdout=1"));
const BIG = Buffer.alloc(8 * 2 ** 20, "x");

let server: TestServer;
let clock: VirtualClock;
afterEach(() => server.close());

/** Runs `program` for every connection. */
async function serve(options: typeof ALL, program: (streams: RemoteCommandStreams) => unknown): Promise<TestServer> {
  clock = new VirtualClock();
  server = await serveUpgrades(async (request, socket, head) => {
    const streams = await acceptRemoteCommand(request, socket, head, options, clock);
    if (streams !== undefined) await program(streams);
  });
  return server;
}

/** Says what it hears, then that it has heard the end. */
const echo = async ({ stdin, stdout, stderr, finish }: RemoteCommandStreams) => {
  stderr?.write("listening");
  stdout?.write(`heard ${await text(stdin as NodeJS.ReadableStream)}`);
  await finish({ exitCode: 3 });
};

const FAILED = { status: "Failure", reason: "NonZeroExitCode", details: { causes: [{ message: "3" }] } };
const FAILED_MESSAGE = "command terminated with non-zero exit code: exit status 3";

describe("over WebSocket", () => {
  test("v5: the end of stdin is a message, and the status comes after all output", async () => {
    const { port } = await serve(ALL, echo);
    const client = await webSocketClient(port, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    expect(client.webSocket.protocol).toBe("v5.channel.k8s.io");
    client.send(0, "hel");
    client.send(0, "lo");
    client.send(255, Buffer.from([0]));
    // Too late, and no reason to fall over.
    client.send(0, "more");
    client.send(255, Buffer.from([0]));
    client.send(9, "nobody listens here");
    client.webSocket.send("");
    expect(await client.closed).toBe(1000);
    expect([client.text(1), client.text(2)]).toEqual(["heard hello", "listening"]);
    expect(JSON.parse(client.text(3))).toMatchObject(FAILED);
  });

  test.each([
    ["v4.channel.k8s.io", FAILED],
    ["v4.base64.channel.k8s.io", FAILED],
    ["channel.k8s.io", FAILED_MESSAGE],
    ["base64.channel.k8s.io", FAILED_MESSAGE],
    [undefined, FAILED_MESSAGE],
  ])("%s: an empty message comes first, and the end of the connection is the end of stdin", async (protocol, want) => {
    const heard: string[] = [];
    const { port } = await serve(ALL, async ({ stdin, stdout, finish, signal }) => {
      const [first] = await once(stdin as NodeJS.EventEmitter, "data");
      stdout?.write(`heard ${first}`);
      const rest = text(stdin as NodeJS.ReadableStream);
      if (`${first}` === "go") await finish({ exitCode: 3 });
      else heard.push(await rest, `${signal.aborted}`);
    });
    const one = await webSocketClient(port, protocol === undefined ? [] : [protocol]);
    await vi.waitFor(() => expect([one.has(1), one.text(1)]).toEqual([true, ""]));
    one.send(0, "go");
    expect(await one.closed).toBe(1000);
    expect(one.text(1)).toBe("heard go");
    if (typeof want === "string") expect(one.text(3)).toBe(want);
    else expect(JSON.parse(one.text(3))).toMatchObject(want);

    const other = await webSocketClient(port, protocol === undefined ? [] : [protocol]);
    other.send(0, "stay");
    await vi.waitFor(() => expect(other.text(1)).toBe("heard stay"));
    other.send(0, "bye");
    other.webSocket.close();
    await vi.waitFor(() => expect(heard).toEqual(["bye", "true"]));
  });

  test("a success before v4 says nothing on the error channel", async () => {
    const { port } = await serve(OUTPUT, ({ finish }) => finish({ exitCode: 0 }));
    const client = await webSocketClient(port, ["channel.k8s.io"]);
    expect(await client.closed).toBe(1000);
    expect(client.has(3)).toBe(false);
  });

  test("terminal sizes arrive, and a terminal has no stderr", async () => {
    const sizes: unknown[] = [];
    const { port } = await serve(TERMINAL, async ({ resizes, stderr, finish }) => {
      for await (const size of resizes) {
        sizes.push(size);
        if (sizes.length === 2) break;
      }
      await finish({ error: `stderr is ${stderr}` });
    });
    const client = await webSocketClient(port, ["v5.channel.k8s.io"]);
    for (const size of ['{"Width":80,"Height":24}', "?", '{"Width":100,"Height":30}']) client.send(4, size);
    await client.closed;
    expect(sizes).toEqual([
      { columns: 80, rows: 24 },
      { columns: 100, rows: 30 },
    ]);
    expect(JSON.parse(client.text(3)).message).toBe("Internal error occurred: stderr is undefined");
  });

  test("much output to a slow client arrives whole, before the status", async () => {
    const { port } = await serve(OUTPUT, async ({ stdout, finish }) => {
      for (let rest = BIG; rest.length > 0; rest = rest.subarray(32768)) stdout?.write(rest.subarray(0, 32768));
      await finish({ exitCode: 0 });
    });
    const client = await webSocketClient(port, ["v5.channel.k8s.io"]);
    client.webSocket.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.webSocket.resume();
    expect(await client.closed).toBe(1000);
    expect(client.length(1)).toBe(BIG.length);
    expect(JSON.parse(client.text(3)).status).toBe("Success");
  });

  test("stdin that nobody reads holds the client back, and does not keep the end from it", async () => {
    let end = () => {};
    const { port } = await serve(ALL, async ({ finish }) => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      await finish({ exitCode: 0 });
    });
    const client = await webSocketClient(port, ["v5.channel.k8s.io"]);
    for (let rest = BIG; rest.length > 0; rest = rest.subarray(2 ** 19)) client.send(0, rest.subarray(0, 2 ** 19));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What the machine's buffers and one megabyte here do not take waits with the client.
    expect(client.webSocket.bufferedAmount).toBeGreaterThan(0);
    end();
    expect(await client.closed).toBe(1000);
  });

  test("a client that vanishes ends everything", async () => {
    let isOver = false;
    const { port } = await serve(TERMINAL, async ({ stdin, stdout, resizes, signal, finish }) => {
      stdin?.resume();
      for await (const _ of resizes);
      await vi.waitFor(() => expect(signal.aborted).toBe(true));
      stdout?.write("to nobody");
      await finish({ exitCode: 0 });
      isOver = true;
    });
    (await webSocketClient(port, ["v5.channel.k8s.io"])).webSocket.terminate();
    await vi.waitFor(() => expect(isOver).toBe(true));
  });

  test("a message that is too large is refused with the reason", async () => {
    const { port } = await serve(ALL, () => undefined);
    const client = await webSocketClient(port, ["v5.channel.k8s.io"]);
    client.send(0, BIG);
    expect(await client.closed).toBe(1009);
  });

  test("protocols that nobody knows are refused", async () => {
    const { port } = await serve(ALL, echo);
    const headers = {
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "v9.channel.k8s.io",
    };
    expect(await refusalOf(port, headers)).toMatch(
      /^403 requested protocol\(s\) are not supported: \[v9.channel.k8s.io\]; supports \[v5.channel.k8s.io /,
    );
  });
});

describe("over SPDY", () => {
  const openAll = async (port: number, protocols: string, names: readonly string[]) => {
    const { socket, protocol } = await upgradeToSpdy(port, protocols);
    const client = spdyClient(socket);
    const streams: Record<string, number> = {};
    for (const streamtype of names) streams[streamtype] = await client.open({ streamtype });
    const closed = new Promise<void>((resolve) => socket.once("end", resolve).once("close", resolve));
    return { ...client, socket, protocol, closed, id: (name: string) => streams[name] as number };
  };

  test.each([
    ["v4.channel.k8s.io", FAILED],
    ["v3.channel.k8s.io", FAILED_MESSAGE],
    ["v2.channel.k8s.io", FAILED_MESSAGE],
  ])("%s: output, the status in its version's form, and the end", async (protocol, want) => {
    const { port } = await serve(ALL, echo);
    const client = await openAll(port, `x, ${protocol}`, ["error", "stdin", "stdout", "stderr"]);
    expect(client.protocol).toBe(protocol);
    client.send(client.id("stdin"), "hello");
    client.send(client.id("stdin"), "", true);
    await client.closed;
    expect(client.text(client.id("stdout"))).toBe("heard hello");
    expect(client.text(client.id("stderr"))).toBe("listening");
    const status = client.text(client.id("error"));
    if (typeof want === "string") expect(status).toBe(want);
    else expect(JSON.parse(status)).toMatchObject(want);
    expect(client.ended.has(client.id("error"))).toBe(true);
  });

  test.each([
    ["v4.channel.k8s.io", ["error", "stdin", "stdout", "resize"], '{"Width":80,"Height":24}'],
    ["v2.channel.k8s.io", ["error", "stdin", "stdout"], undefined],
  ])("%s: a terminal needs the streams %j", async (protocol, names, size) => {
    const { port } = await serve(TERMINAL, async ({ resizes, stdout, finish }) => {
      if (size !== undefined)
        for await (const { columns, rows } of resizes) {
          stdout?.write(`${columns}x${rows}`);
          break;
        }
      await finish({ exitCode: 0 });
    });
    const client = await openAll(port, protocol, names);
    if (size !== undefined) client.send(client.id("resize"), size);
    await client.closed;
    expect(client.text(client.id("stdout"))).toBe(size === undefined ? "" : "80x24");
  });

  test("much output arrives whole, before the status", async () => {
    const { port } = await serve(OUTPUT, async ({ stdout, finish }) => {
      stdout?.write(BIG);
      await finish({ exitCode: 0 });
    });
    const client = await openAll(port, "v4.channel.k8s.io", ["error", "stdout"]);
    await client.closed;
    expect(client.length(client.id("stdout"))).toBe(BIG.length);
    expect(JSON.parse(client.text(client.id("error"))).status).toBe("Success");
  });

  test("stdin that nobody reads does not keep the end from the client", async () => {
    let isOver = false;
    const { port } = await serve(ALL, async ({ stdin, signal, finish }) => {
      await vi.waitFor(() => expect(stdin?.readableLength).toBeGreaterThan(2 ** 20 - 1));
      await finish({ exitCode: 0 });
      await vi.waitFor(() => expect(signal.aborted).toBe(true));
      isOver = true;
    });
    const client = await openAll(port, "v4.channel.k8s.io", ["error", "stdin", "stdout", "stderr"]);
    for (let rest = BIG; rest.length > 0; rest = rest.subarray(2 ** 19))
      client.send(client.id("stdin"), rest.subarray(0, 2 ** 19));
    await client.closed;
    client.socket.end();
    await vi.waitFor(() => expect(isOver).toBe(true));
  });

  test("a client that opens no streams is let go after half a minute", async () => {
    const { port } = await serve(ALL, echo);
    const client = await openAll(port, "v4.channel.k8s.io", ["error", "stdin"]);
    client.socket.resume();
    await clock.advance(30_000);
    await client.closed;
  });

  test("a client that vanishes ends everything", async () => {
    const seen: string[] = [];
    const { port } = await serve(ALL, async ({ stdin, signal, finish }) => {
      stdin?.resume();
      signal.addEventListener("abort", () => seen.push("gone"));
      seen.push("begun");
      await vi.waitFor(() => expect(signal.aborted).toBe(true));
      await finish({ exitCode: 0 });
      seen.push("over");
    });
    const client = await openAll(port, "v4.channel.k8s.io", ["error", "stdin", "stdout", "stderr"]);
    await vi.waitFor(() => expect(seen).toEqual(["begun"]));
    client.socket.destroy();
    await vi.waitFor(() => expect(seen).toEqual(["begun", "gone", "over"]));
  });

  test("protocols that nobody knows are refused, and so is what is no upgrade that we know", async () => {
    const { port } = await serve(ALL, echo);
    expect(await refusalOf(port, { upgrade: "SPDY/3.1", "x-stream-protocol-version": "v9" })).toBe(
      "403 unable to upgrade: unable to negotiate protocol: client supports [v9], server accepts [v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io]",
    );
    expect(await refusalOf(port, { upgrade: "telnet" })).toBe(
      "400 unable to upgrade: missing upgrade headers in request",
    );
  });
});
