import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { hostPortListeners } from "./hostPortListeners.ts";

/** A second loopback address stands for the node, so that both can have the same port. */
const NODE = "127.0.0.2";
const PORT = 31_847;
const ALL_AND_CLOSE = "all, and close";
const LAST_WORDS_BYTES = 8_000_000;
const tcp = createServer({ allowHalfOpen: true }, (socket) => {
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  // Answers only once the client has said that it is done.
  socket.on("end", () => socket.end(text === ALL_AND_CLOSE ? Buffer.alloc(LAST_WORDS_BYTES) : `heard ${text.length}`));
});
const udp = createSocket("udp4");

beforeAll(async () => {
  await new Promise<void>((resolve) => tcp.listen(PORT, NODE, resolve));
  udp.on("message", (message, from) => udp.send(`heard ${message}`, from.port, from.address));
  await new Promise<void>((resolve) => udp.bind(PORT, NODE, resolve));
});
afterAll(() => {
  tcp.close();
  udp.close();
});

const anyNode = () => undefined;
const open = hostPortListeners({ addressOf: () => NODE, clock: new VirtualClock(0) });

describe("a port on the host's loopback", () => {
  it("passes TCP on, each direction ending by itself", async () => {
    const listener = await open({ protocol: "TCP", port: PORT }, anyNode);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(PORT, "127.0.0.1", () => socket.end("x".repeat(300_000)));
      let text = "";
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("end", () => resolve(text));
      socket.on("error", reject);
    });
    await listener.close();
    expect(answer).toBe("heard 300000");
  });

  it("cuts nothing off what a program said last, however slow its client", async () => {
    const listener = await open({ protocol: "TCP", port: PORT }, anyNode);
    const heardBytes = await new Promise<number>((resolve, reject) => {
      const socket = connect(PORT, "127.0.0.1", () => socket.end(ALL_AND_CLOSE)).pause();
      let bytes = 0;
      socket.on("data", (data) => {
        bytes += data.length;
      });
      socket.on("end", () => resolve(bytes)).on("error", reject);
      setTimeout(() => socket.resume(), 50);
    });
    await listener.close();
    expect(heardBytes).toBe(LAST_WORDS_BYTES);
  });

  it("where nobody listens behind it resets the connection", async () => {
    const listener = await open({ protocol: "TCP", port: PORT + 1 }, anyNode);
    const code = await new Promise((resolve) => {
      const socket = connect(PORT + 1, "127.0.0.1");
      socket.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code)).on("end", () => resolve("end"));
    });
    await listener.close();
    expect(code).toBe("ECONNRESET");
  });

  it("passes UDP on, and answers come back to whoever asked", async () => {
    const listener = await open({ protocol: "UDP", port: PORT }, anyNode);
    const ask = (text: string) =>
      new Promise<string>((resolve) => {
        const client = createSocket("udp4");
        client.on("message", (message) => {
          client.close();
          resolve(message.toString());
        });
        client.send(text, PORT, "127.0.0.1");
      });
    const answers = await Promise.all([ask("a"), ask("b")]);
    await listener.close();
    expect(answers).toEqual(["heard a", "heard b"]);
  });

  it("that is taken is an error", async () => {
    const first = await open({ protocol: "TCP", port: PORT }, anyNode);
    await expect(open({ protocol: "TCP", port: PORT }, anyNode)).rejects.toThrow("EADDRINUSE");
    await first.close();
  });
});
