import { Duplex, duplexPair } from "node:stream";
import { expect, test, vi } from "vitest";
import { joinStreams } from "./joinStreams.ts";

const CHUNK = Buffer.alloc(64 * 1024, "x");
const CHUNKS = 20;

/** Says a lot, ends, and closes at once, as a socket does whose program has ended. */
const talker = () => {
  let left = CHUNKS;
  return new Duplex({
    allowHalfOpen: false,
    read() {
      this.push(left-- > 0 ? CHUNK : null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
};

/** Takes one chunk after the other, each after a while, and never says anything. */
const slowListener = () => {
  let received = 0;
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      received += chunk.length;
      setTimeout(done, 1);
    },
  });
  return { stream, received: () => received };
};

const closed = (stream: Duplex) => vi.waitFor(() => expect(stream.destroyed).toBe(true));

test("all that a closed side has said reaches a slow other side, which is closed then", async () => {
  const listener = slowListener();
  joinStreams(talker(), listener.stream);
  await closed(listener.stream);
  expect(listener.received()).toBe(CHUNKS * CHUNK.length);
});

/** What a side hears until the other ends; it can still say something then. */
const heard = (stream: Duplex): Promise<string> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => resolve(Buffer.concat(chunks).toString()));
  });

test("half-closes pass, and the answer comes after them", async () => {
  const [left, a] = duplexPair();
  const [b, right] = duplexPair();
  joinStreams(a, b);
  left.end("question");
  expect(await heard(right)).toBe("question");
  right.end("answer");
  expect(await heard(left)).toBe("answer");
});

test("a side that is broken off breaks off the other", async () => {
  const [, a] = duplexPair();
  const [b] = duplexPair();
  joinStreams(a, b);
  a.destroy();
  await closed(b);
});

test("a side that had gone before takes the other with it", () => {
  const [, a] = duplexPair();
  const [b] = duplexPair();
  b.destroy();
  joinStreams(a, b);
  expect(a.destroyed).toBe(true);
});

test("what is said to a side that has closed is dropped, and does not stop the one who says it", async () => {
  const quiet = new Duplex({
    allowHalfOpen: false,
    read() {
      this.push(null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
  const [speaker, b] = duplexPair();
  joinStreams(quiet, b);
  speaker.resume();
  await closed(quiet);
  for (let index = 0; index < CHUNKS; index++) speaker.write(CHUNK);
  await closed(b);
});
