import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { ApiResponse } from "../../machinery/requests.ts";
import { serveUpgrades, type TestServer } from "../../streams/testClients.ts";
import { admin, testServer } from "../testServer.ts";
import { watchUpgrade } from "./watchUpgrade.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

let front: TestServer;
let answered: ApiResponse | undefined;
afterEach(() => front.close());

async function watching(query: string, headers: Record<string, string> = {}) {
  const server = testServer();
  front = await serveUpgrades(async (request, socket, head) => {
    const { pathname: path, searchParams } = new URL(request.url ?? "", "http://test");
    answered = await server.handle({ method: "GET", path, query: searchParams, headers }, admin);
    await watchUpgrade(answered, { request, socket, head });
  });
  const webSocket = new WebSocket(`ws://127.0.0.1:${front.port}${MAPS}?${query}`, ["first", "second"]);
  await once(webSocket, "open");
  return { ...server, webSocket };
}

test("each event is a message of text", async () => {
  const { webSocket, send } = await watching("watch=1");
  expect(webSocket.protocol).toBe("first");
  await send("POST", MAPS, { metadata: { name: "one" } });
  const [message, isBinary] = (await once(webSocket, "message")) as [Buffer, boolean];
  expect(isBinary).toBe(false);
  expect(JSON.parse(`${message}`)).toMatchObject({ type: "ADDED", object: { metadata: { name: "one" } } });
  webSocket.close();
  await once(webSocket, "close");
  expect(answered?.type === "watch" && (await answered.events.next())).toBe(undefined);
});

test("protobuf comes as bytes, without the length that a stream of it needs", async () => {
  const { webSocket, send } = await watching("watch=1", { accept: "application/vnd.kubernetes.protobuf" });
  await send("POST", MAPS, { metadata: { name: "one" } });
  const [message, isBinary] = (await once(webSocket, "message")) as [Buffer, boolean];
  expect(isBinary).toBe(true);
  // A WatchEvent, whose first field is its type.
  expect([...message.subarray(0, 2)]).toEqual([0x0a, "ADDED".length]);
  webSocket.terminate();
});

test("a watch that ends closes the connection", async () => {
  const { webSocket, clock } = await watching("watch=1&timeoutSeconds=5");
  const closed = once(webSocket, "close");
  await clock.advance(5_000);
  expect((await closed)[0]).toBe(1000);
});

test("what is refused is no watch", async () => {
  const { send } = await watching("watch=1");
  const refused: ApiResponse = { type: "object", status: 403, object: { message: "no" }, bytes: () => Buffer.alloc(0) };
  await expect(watchUpgrade(refused, {} as never)).rejects.toMatchObject({ code: 403, message: "no" });
  expect((await send("GET", MAPS)).status).toBe(200);
});
