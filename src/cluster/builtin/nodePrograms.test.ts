import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { get } from "node:http";
import { createServer } from "node:net";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { dnsService } from "../../dns/viewNotation.ts";
import {
  AF_INET,
  bindInet,
  openSocket,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../../kubelet/nodeEnvironment/systemCalls.ts";
import type { BuiltinProgram } from "../../kubelet/runtimes/builtin/program.ts";
import { silentLog } from "../../lib/silentLog.ts";
import type { OpenHealthPort } from "../../proxy/healthPorts.ts";
import type { ServiceRules } from "../../proxy/rules.ts";
import { service } from "../../proxy/serviceNotation.ts";
import { realClock, realRandom } from "../realEnv.ts";
import { DNS_PORT, dnsProgram, HEALTH_PORT, METRICS_PORT, READY_PORT } from "./dnsProgram.ts";
import { proxyProgram } from "./proxyProgram.ts";
import type { ServiceWatch } from "./serviceWatch.ts";

const env = { clock: realClock, random: realRandom, log: silentLog };
/** In place of a pod's own network: other ports of this machine's loopback, different ones for each run. */
const OFFSET = 20_000 + (process.pid % 5_000);

const bindSocket = (_sandbox: string, { protocol, port }: { protocol: "tcp" | "udp"; port: number }) => {
  const socket = openSocket(AF_INET, (protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC);
  bindInet(socket, "127.0.0.1", port + OFFSET);
  return socket;
};

function watchOf(...lines: string[]) {
  const synced = Promise.withResolvers<void>();
  const followers = new Set<() => void>();
  let services = lines;
  const watch: ServiceWatch = {
    synced: () => synced.promise,
    services: () => ({ services: services.map((line) => service(line)), slices: [] }),
    names: () => ({
      services: services.map((line) => dnsService(`default/${line}`)),
      slices: [],
      namespaces: ["default"],
    }),
    follow: (changed) => {
      followers.add(changed);
      return () => followers.delete(changed);
    },
  };
  const change = (...next: string[]) => {
    services = next;
    for (const follower of followers) follower();
  };
  return { watch, change, sync: () => synced.resolve(), followers };
}

function run(program: BuiltinProgram) {
  const end = new AbortController();
  let logged = "";
  const log = new Writable({
    write(data, _encoding, done) {
      logged += data;
      done();
    },
  });
  const exitCode = program({
    args: [],
    env: {},
    log,
    signal: end.signal,
    containerId: "c",
    sandboxId: "s",
    config: {} as never,
  });
  onTestFinished(async () => {
    end.abort();
    await exitCode.catch(() => undefined);
  });
  return { exitCode, stop: () => end.abort(), logged: () => logged };
}

const fetchText = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port: port + OFFSET, path, agent: false }, (response) => resolve(text(response))).on(
      "error",
      reject,
    );
  });

const resolver = () => {
  const asking = new Resolver({ timeout: 500, tries: 2 });
  asking.setServers([`127.0.0.1:${DNS_PORT + OFFSET}`]);
  return asking;
};

test("the DNS's container answers, says when it is ready, counts, and goes on a moment after its end is asked for", async () => {
  const { watch, sync } = watchOf("web 10.96.0.9 80");
  const dns = run(dnsProgram({ env, watch, upstreams: () => [], bindSocket }));
  expect(await fetchText(HEALTH_PORT, "/health")).toBe("OK");
  let isReady = false;
  const ready = fetchText(READY_PORT, "/ready").then((answer) => {
    isReady = answer === "OK";
  });
  await realClock.sleep(20);
  expect(isReady).toBe(false);
  sync();
  await ready;
  expect(isReady).toBe(true);
  expect(await resolver().resolve4("web.default.svc.cluster.local")).toEqual(["10.96.0.9"]);
  expect(await fetchText(METRICS_PORT, "/metrics")).toMatch(/^coredns_dns_requests_total\{proto="udp",.*\} 1$/m);
  dns.stop();
  await realClock.sleep(20);
  expect(await resolver().resolve4("web.default.svc.cluster.local")).toEqual(["10.96.0.9"]);
  expect(await dns.exitCode).toBe(0);
  await expect(fetchText(HEALTH_PORT, "/health")).rejects.toThrow("ECONNREFUSED");
  expect(dns.logged()).toContain("the cluster's DNS answers");
});

test("a DNS container whose port is taken fails and leaves nothing open", async () => {
  const { watch, sync } = watchOf();
  sync();
  const taken = createServer().listen(METRICS_PORT + OFFSET, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await once(taken, "listening");
  const dns = run(dnsProgram({ env, watch, upstreams: () => [], bindSocket }));
  await expect(dns.exitCode).rejects.toThrow("EADDRINUSE");
  await expect(fetchText(HEALTH_PORT, "/health")).rejects.toThrow("ECONNREFUSED");
  await expect(fetchText(READY_PORT, "/ready")).rejects.toThrow("ECONNREFUSED");
});

test("the service proxy's container follows Services, and lets go of them at its end", async () => {
  const { watch, sync, change, followers } = watchOf("web 10.96.0.9 80");
  const applied: string[][] = [];
  const backend = {
    apply: async (rules: ServiceRules) =>
      void applied.push([...rules.keys()].map((key) => `${key}`.split("/")[1] ?? "")),
    remove: async () => {},
  };
  const healthPorts = new Map<number, (path: string) => { status: number } | undefined>();
  const openHealthPort: OpenHealthPort = async (port, answer) => {
    healthPorts.set(port, answer);
    return { close: async () => void healthPorts.delete(port) };
  };
  const proxy = run(proxyProgram({ env, nodeName: "n1", watch, backend: () => backend, openHealthPort }));
  await realClock.sleep(10);
  expect(applied).toEqual([]);
  sync();
  await vi.waitFor(() => expect(applied).toEqual([["web"]]));
  change("web 10.96.0.9 80", "api 10.96.0.10 80");
  await vi.waitFor(() => expect(applied.at(-1)).toEqual(["web", "api"]));
  expect(healthPorts.get(10_256)?.("/healthz")).toMatchObject({ status: 200 });
  proxy.stop();
  expect(await proxy.exitCode).toBe(0);
  expect(healthPorts.size).toBe(0);
  expect(followers.size).toBe(0);
});
