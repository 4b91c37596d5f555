/** Asking a resolver, by UDP, by TCP, or through the relay of this machine's own network. */
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { Exchange } from "./forwarder.ts";
import { framed, splitFrames } from "./frames.ts";
import { RELAY_PREFIX, relayed } from "./relay.ts";

/** One question to one resolver. A datagram with another id, or from elsewhere, is not the answer. */
export const exchange: Exchange = (upstream, message, transport, signal) => {
  if (upstream.startsWith(RELAY_PREFIX)) {
    const asked = relayed(message, transport);
    return exchangeStream({ path: upstream.slice(RELAY_PREFIX.length) }, asked, signal);
  }
  const [host = "", port = "53"] = upstream.split("#");
  return transport === "udp"
    ? exchangeUdp(host, Number(port), message, signal)
    : exchangeStream({ host, port: Number(port) }, message, signal);
};

function exchangeUdp(host: string, port: number, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const end = () => socket.close();
    const fail = (error: unknown) => {
      signal.removeEventListener("abort", abort);
      end();
      reject(error);
    };
    const abort = () => fail(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", fail);
    socket.on("message", (answer) => {
      if (answer.length < 12 || answer[0] !== message[0] || answer[1] !== message[1]) return;
      signal.removeEventListener("abort", abort);
      end();
      resolve(answer);
    });
    // A connected socket takes answers from its peer alone, and hears when nobody is there.
    socket.connect(port, host, () => socket.send(message));
  });
}

type Place = { readonly host: string; readonly port: number } | { readonly path: string };

function exchangeStream(place: Place, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = connect(place);
    const abort = () => socket.destroy(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    socket.on(
      "data",
      splitFrames((answer) => {
        resolve(answer);
        socket.destroy();
      }),
    );
    socket.once("error", reject);
    socket.once("close", () => {
      signal.removeEventListener("abort", abort);
      reject(new Error("the resolver closed the connection"));
    });
    socket.write(framed(message));
  });
}
