/** A watch over WebSocket, one message per event, as browsers and dashboards ask for. Source: handlers/watch.go HandleWS. */
import type { WebSocket } from "ws";
import { ApiError, type Status } from "../../machinery/errors.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import { webSocketAcceptor } from "../../streams/webSocketChannels.ts";
import type { Upgrade } from "./httpOverConnection.ts";

/** The client has nothing to say. */
const RECEIVED_BYTES_MAX = 4096;
/** Events wait for the peer once this much is unsent. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** Source: RFC 6455, 7.4.1. */
const NORMAL_CLOSURE = 1000;
/** In front of each protobuf frame, where messages need none. */
const LENGTH_BYTES = 4;

type WatchResponse = Extract<ApiResponse, { type: "watch" }>;

/** @throws ApiError that the answer is, unless it is a watch */
export async function watchUpgrade(response: ApiResponse, { request, socket, head }: Upgrade): Promise<void> {
  if (response.type !== "watch") throw errorOf(response);
  const offered = `${request.headers["sec-websocket-protocol"] ?? ""}`.split(",").flatMap((one) => one.trim() || []);
  const acceptor = webSocketAcceptor(offered.slice(0, 1), { messageBytesMax: RECEIVED_BYTES_MAX });
  const accepted = await acceptor.accept(request, socket, head);
  if (accepted === undefined) return response.events.close();
  await send(accepted.webSocket, response);
}

async function send(webSocket: WebSocket, { events, isFramed = false }: WatchResponse): Promise<void> {
  webSocket.once("close", () => events.close());
  events.onCutOff = () => webSocket.terminate();
  for (;;) {
    const frames = await events.next();
    if (frames === undefined) break;
    for (const frame of frames) {
      const bytes = isFramed ? frame.bytes().subarray(LENGTH_BYTES) : frame.bytes();
      const sent = new Promise<void>((resolve) => {
        // Told of a failure too, after which "close" follows.
        webSocket.send(bytes, { binary: isFramed }, () => resolve());
      });
      if (webSocket.bufferedAmount > UNSENT_BYTES_MAX) await sent;
    }
  }
  webSocket.close(NORMAL_CLOSURE);
}

function errorOf(response: ApiResponse): ApiError {
  const status = response.type === "object" ? response.object : undefined;
  return ApiError.fromStatus((status ?? {}) as Partial<Status>, response.status);
}
