/**
 * A coredns pod's container: a DNS server in this process whose sockets are in the pod's network. Its health, readiness
 * and metrics are where CoreDNS has them.
 *
 * Deliberately absent: a Corefile, and metrics but the number of questions.
 */

import { createServer, type Server } from "node:http";
import { startDns } from "../../dns/server.ts";
import type { BuiltinProgram } from "../../kubelet/runtimes/builtin/program.ts";
import type { Env } from "../../lib/env.ts";
import { createLog } from "../realEnv.ts";
import type { ServiceWatch } from "./serviceWatch.ts";
import { untilAborted } from "./untilAborted.ts";

export const DNS_PORT = 53;
/** Source: CoreDNS plugins health, ready and prometheus. */
export const HEALTH_PORT = 8080;
export const READY_PORT = 8181;
export const METRICS_PORT = 9153;
/**
 * How long questions are still answered after the end has been asked for, until all nodes know that this server is not to
 * be asked any more. CoreDNS calls it lameduck and kubeadm sets 5 s; here the nodes know in a tenth of a second.
 */
const LAME_DUCK_MS = 1_000;

/** A socket in the pod's network, listening by its descriptor. */
export type BindSocket = (
  sandboxId: string,
  socket: { readonly protocol: "tcp" | "udp"; readonly address: string; readonly port: number },
) => number;

export interface DnsProgramOptions {
  readonly env: Env;
  readonly watch: ServiceWatch;
  readonly upstreams: () => readonly string[];
  readonly bindSocket: BindSocket;
}

export const dnsProgram =
  ({ env, watch, upstreams, bindSocket }: DnsProgramOptions): BuiltinProgram =>
  async ({ log: stream, signal, sandboxId }) => {
    const log = createLog(stream);
    const bind = (protocol: "tcp" | "udp", port: number) =>
      bindSocket(sandboxId, { protocol, address: "0.0.0.0", port });
    const questions = { udp: 0, tcp: 0 };
    const ready = Promise.withResolvers<void>();
    const servers: Server[] = [];
    try {
      // Bound before anything is waited for, so that the first probe finds them.
      servers.push(serve(bind("tcp", HEALTH_PORT), () => "OK"));
      servers.push(serve(bind("tcp", READY_PORT), () => ready.promise.then(() => "OK")));
      servers.push(serve(bind("tcp", METRICS_PORT), () => metrics(questions)));
      const descriptors = { udp: bind("udp", DNS_PORT), tcp: bind("tcp", DNS_PORT) };
      await watch.synced();
      const dns = await startDns({
        env: { ...env, log },
        address: "0.0.0.0",
        port: DNS_PORT,
        descriptors,
        view: () => watch.names(),
        upstreams,
        onQuestion: (transport) => {
          questions[transport]++;
        },
      });
      ready.resolve();
      log.info("the cluster's DNS answers", { port: DNS_PORT, zone: "cluster.local", forwardTo: upstreams() });
      await untilAborted(signal);
      log.info("the cluster's DNS ends", { questions: questions.udp + questions.tcp });
      await env.clock.sleep(LAME_DUCK_MS);
      await dns.close();
      return 0;
    } finally {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    }
  };

function serve(fd: number, answer: () => string | Promise<string>): Server {
  const server = createServer(async (_, response) => {
    response.end(await answer());
  });
  return server.listen({ fd });
}

/** Source: CoreDNS plugin/metrics, for its name and labels. */
const metrics = (questions: { readonly udp: number; readonly tcp: number }): string =>
  [
    "# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.",
    "# TYPE coredns_dns_requests_total counter",
    `coredns_dns_requests_total{proto="udp",server="dns://:${DNS_PORT}",zone="."} ${questions.udp}`,
    `coredns_dns_requests_total{proto="tcp",server="dns://:${DNS_PORT}",zone="."} ${questions.tcp}`,
    "",
  ].join("\n");
