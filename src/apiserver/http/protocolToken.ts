/**
 * A bearer token among the subprotocols of a WebSocket, which is where browsers can put one.
 * Source: apiserver authentication/request/websocket/protocol.go.
 */
import type { IncomingMessage } from "node:http";
import { unauthorized } from "../auth/authenticators.ts";

const PROTOCOL_HEADER = "sec-websocket-protocol";
const TOKEN_PREFIX = "base64url.bearer.authorization.k8s.io.";

/**
 * Takes the token out of the request, so that nobody behind sees it.
 * @returns undefined when there is none
 * @throws ApiError 401 for two of them, and for one that comes alone: some protocol has to be agreed on
 */
export function takeProtocolToken(request: IncomingMessage): string | undefined {
  const offered = `${request.headers[PROTOCOL_HEADER] ?? ""}`.split(",").map((one) => one.trim());
  const [token, ...more] = offered.filter((one) => one.startsWith(TOKEN_PREFIX));
  if (token === undefined) return undefined;
  const others = offered.filter((one) => one !== "" && !one.startsWith(TOKEN_PREFIX));
  if (more.length > 0 || others.length === 0) throw unauthorized();
  request.headers[PROTOCOL_HEADER] = others.join(", ");
  replaceRaw(request.rawHeaders, others.join(", "));
  return Buffer.from(token.slice(TOKEN_PREFIX.length), "base64url").toString();
}

/** All such headers become one: the first has everything, and the others are left out. */
function replaceRaw(raw: string[], value: string): void {
  const kept: string[] = [];
  let isFirst = true;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const isProtocol = name.toLowerCase() === PROTOCOL_HEADER;
    if (!isProtocol || isFirst) kept.push(name, isProtocol ? value : (raw[index + 1] as string));
    if (isProtocol) isFirst = false;
  }
  raw.splice(0, raw.length, ...kept);
}
