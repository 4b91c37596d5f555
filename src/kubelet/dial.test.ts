import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { dialFailure, readFailure, wordedDial } from "./dial.ts";

const failure = (code: string, message = "") => Object.assign(new Error(message), { code });

test.each([
  ["10.0.0.1", failure("ECONNREFUSED"), "dial tcp 10.0.0.1:80: connect: connection refused"],
  ["fd00::1", failure("EHOSTUNREACH"), "dial tcp [fd00::1]:80: connect: no route to host"],
  ["web.example", failure("ENOTFOUND"), "dial tcp: lookup web.example: no such host"],
  ["10.0.0.1", failure("EMFILE", "too many open files"), "dial tcp 10.0.0.1:80: too many open files"],
])("no connection to %s because of %s: %s", (host, error, want) => {
  expect(dialFailure(host, 80, error)).toBe(want);
});

test("a real refusal is worded as Go words it", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const dial = wordedDial(async (host, at) => {
    const socket = connect(at, host);
    await once(socket, "connect");
    return socket;
  });
  await expect(dial("127.0.0.1", port)).rejects.toThrow(`dial tcp 127.0.0.1:${port}: connect: connection refused`);
});

test("a connection that is reset says between whom it was", () => {
  const socket = { localAddress: "10.0.0.9", localPort: 4000, remoteAddress: "10.0.0.1", remotePort: 80 };
  expect(readFailure(socket as never, failure("ECONNRESET"))).toBe(
    "read tcp 10.0.0.9:4000->10.0.0.1:80: read: connection reset by peer",
  );
});
