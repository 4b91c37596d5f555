import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { takeProtocolToken } from "./protocolToken.ts";

const TOKEN = `base64url.bearer.authorization.k8s.io.${Buffer.from("secret").toString("base64url")}`;
const requestWith = (...offered: string[]) =>
  ({
    headers: offered.length === 0 ? {} : { "sec-websocket-protocol": offered.join(", ") },
    rawHeaders: ["Host", "x", ...offered.flatMap((one) => ["Sec-WebSocket-Protocol", one])],
  }) as unknown as IncomingMessage;

test("a token among the protocols is taken out of the request", () => {
  const request = requestWith("v4.channel.k8s.io", TOKEN, "binary");
  expect(takeProtocolToken(request)).toBe("secret");
  expect(request.headers["sec-websocket-protocol"]).toBe("v4.channel.k8s.io, binary");
  expect(request.rawHeaders).toEqual(["Host", "x", "Sec-WebSocket-Protocol", "v4.channel.k8s.io, binary"]);
});

test("protocols without a token stay as they are", () => {
  const request = requestWith("v4.channel.k8s.io");
  expect(takeProtocolToken(request)).toBeUndefined();
  expect(request.rawHeaders).toHaveLength(4);
  expect(takeProtocolToken(requestWith())).toBeUndefined();
});

test.each([
  ["alone", [TOKEN]],
  ["twice", [TOKEN, TOKEN, "binary"]],
])("a token %s is refused", (_, offered) => {
  expect(() => takeProtocolToken(requestWith(...offered))).toThrow("Unauthorized");
});
