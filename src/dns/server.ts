/**
 * The cluster's DNS server: what CoreDNS does in a kubeadm cluster, inside the node process. Names of the cluster come
 * from `view`, all others from the machine's resolvers; when none answers the client is told so (SERVFAIL).
 *
 * Deliberately absent: zone transfers, metrics, a configuration file.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from "node:net";
import type { Env } from "../lib/env.ts";
import type { DnsView } from "./dnsIndex.ts";
import { exchange } from "./exchange.ts";
import { createForwarder } from "./forwarder.ts";
import { framed, splitFrames } from "./frames.ts";
import { createResponder, type Responder } from "./responder.ts";

export interface DnsOptions {
  readonly env: Env;
  /** Where to listen, for UDP and TCP. */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Sockets that are bound already, maybe in another network namespace; then address and port are not used. */
  readonly descriptors?: { readonly udp: number; readonly tcp: number };
  /** Told of every question that comes. */
  readonly onQuestion?: (transport: "udp" | "tcp") => void;
  /** Called for every question: gives the same object until something in it changes. */
  readonly view: () => DnsView;
  /** Addresses of resolvers, as `reachableNameservers` finds them; "address" or "address#port". */
  readonly upstreams: () => readonly string[];
  readonly zone?: string;
}

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Connections at once; more are closed at once. */
const CONNECTIONS_MAX = 1_000;
/** Source: CoreDNS core/dnsserver, idle timeout of TCP connections. */
const IDLE_MS = 10_000;

/** @throws Error when the address cannot be listened on. */
export async function startDns(options: DnsOptions): Promise<DnsServer> {
  const { env, address, view, upstreams, zone, descriptors } = options;
  const forwarder = createForwarder(env, upstreams, exchange);
  const answer = createResponder({ env, view, forwarder, ...(zone === undefined ? {} : { zone }) });
  const respond: Responder = (query, transport) => {
    options.onQuestion?.(transport);
    return answer(query, transport);
  };
  const connections = new Set<Socket>();
  // TCP first: where the system chooses the port, those of TCP are the scarcer ones.
  const tcpPlace = descriptors ? { fd: descriptors.tcp } : { host: address, port: options.port };
  const tcp = await listenTcp(tcpPlace, respond, connections, env);
  const { port } = tcp.address() as AddressInfo;
  const udp = await listenUdp(descriptors ? { fd: descriptors.udp } : { address, port }, respond, env).catch(
    (error) => {
      tcp.close();
      throw error;
    },
  );
  return {
    port,
    close: async () => {
      for (const connection of connections) connection.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

type UdpPlace = { readonly address: string; readonly port: number } | { readonly fd: number };
type TcpPlace = { readonly host: string; readonly port: number } | { readonly fd: number };

function listenUdp(place: UdpPlace, respond: Responder, env: Env): Promise<UdpSocket> {
  const socket = createSocket("address" in place && isIPv6(place.address) ? "udp6" : "udp4");
  socket.on("message", (query, from) => {
    respond(query, "udp").then(
      (answer) => {
        // The client may be gone; that is its affair.
        if (answer !== undefined) socket.send(answer, from.port, from.address, () => {});
      },
      (error) => env.log.error("a DNS question could not be answered", { error: String(error) }),
    );
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(place, () => {
      socket.off("error", reject);
      socket.on("error", (error) => env.log.warn("DNS socket", { error: String(error) }));
      resolve(socket);
    });
  });
}

function listenTcp(place: TcpPlace, respond: Responder, connections: Set<Socket>, env: Env): Promise<Server> {
  const server = createServer((socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    socket.on("error", () => {});
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    const take = splitFrames((query) => {
      respond(query, "tcp").then(
        (answer) => {
          if (answer !== undefined && socket.writable) socket.write(framed(answer));
        },
        (error) => env.log.error("a DNS question could not be answered", { error: String(error) }),
      );
    });
    socket.on("data", take);
  });
  server.maxConnections = CONNECTIONS_MAX;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => resolve(server));
  });
}
