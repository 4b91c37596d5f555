/** A server in memory and in virtual time, for tests. */

import { kinds } from "../api/index.ts";
import { schemas } from "../api/schemas.ts";
import { createClient } from "../client/client.ts";
import { directTransport } from "../client/transports/direct.ts";
import type { Env } from "../lib/env.ts";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import type { ApiRequest, UserInfo } from "../machinery/requests.ts";
import { memoryStorage } from "../storage/engines/memory.ts";
import { type ApiServerOptions, createApiServer } from "./apiserver.ts";

export const admin: UserInfo = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };

export function testServer(options: Partial<ApiServerOptions> = {}) {
  const clock = new VirtualClock();
  const env: Env = { clock, random: seededRandom("test"), log: silentLog };
  const storage = options.storage ?? memoryStorage({ env });
  const server = createApiServer({ env, storage, kinds, schemas, ...options });
  const send = (
    method: ApiRequest["method"],
    url: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ) => call(server, method, url, body, headers, admin);
  return { ...server, clock, env, storage, send, client: createClient(directTransport(server.handle, admin), "test") };
}

async function call(
  server: ReturnType<typeof createApiServer>,
  method: ApiRequest["method"],
  url: string,
  body: object | string | undefined,
  headers: Record<string, string>,
  user: UserInfo,
) {
  const { pathname, searchParams } = new URL(url, "http://test");
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const request: ApiRequest = {
    method,
    path: pathname,
    query: searchParams,
    headers: { "user-agent": "test/1", ...headers },
    ...(bytes !== undefined && { body: bytes }),
  };
  const response = await server.handle(request, user);
  if (response.type === "watch")
    return {
      status: response.status,
      body: undefined,
      headers: response.headers ?? {},
      watch: response.events,
      bytes: undefined,
      contentType: response.contentType,
    };
  const raw = response.type === "stream" ? Buffer.alloc(0) : response.bytes;
  const chunks = typeof raw === "function" ? raw() : raw;
  const whole = Buffer.concat(chunks instanceof Uint8Array ? [chunks] : [...chunks]);
  const text = whole.toString();
  const { contentType = "application/json" } = response;
  const isJson = contentType.startsWith("application/json");
  // biome-ignore lint/suspicious/noExplicitAny: bodies of any shape are looked at in tests
  const parsed: any = isJson && text !== "" ? JSON.parse(text) : text;
  return {
    status: response.status,
    body: parsed,
    headers: response.headers ?? {},
    watch: undefined,
    bytes: whole,
    contentType,
  };
}
