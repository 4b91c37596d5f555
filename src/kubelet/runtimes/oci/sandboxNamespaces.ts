import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AF_INET,
  bindInet,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWUTS,
  ioctl,
  MS_BIND,
  mount,
  openSocket,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  setHostname,
  setNamespace,
  unshare,
} from "../../nodeEnvironment/systemCalls.ts";

/** Source: linux/sockios.h. */
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
/** `struct ifreq`: a name of 16 bytes, then a union whose first member here is the flags. */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS_OFFSET = 16;

const FLAGS = { net: CLONE_NEWNET, ipc: CLONE_NEWIPC, uts: CLONE_NEWUTS } as const;
export type NamespaceName = keyof typeof FLAGS;

/**
 * Makes namespaces and pins each at `<directory>/<name>`. Namespaces belong to threads, and all here runs on this one
 * without a pause, so nothing else of the process ever sees them; that spares a process per pod.
 */
export function pinNamespaces(
  directory: string,
  options: { names: readonly NamespaceName[]; hostname: string; sysctls: Readonly<Record<string, string>> },
): void {
  const { names } = options;
  if (names.length === 0) return;
  for (const name of names) writeFileSync(join(directory, name), "");
  within(
    names,
    () => unshare(names.reduce((flags, name) => flags | FLAGS[name], 0)),
    () => {
      if (names.includes("uts")) setHostname(options.hostname);
      if (names.includes("net")) bringUpLoopback();
      for (const [name, value] of Object.entries(options.sysctls)) setSysctl(name, value);
      for (const name of names) {
        mount({ source: `/proc/thread-self/ns/${name}`, target: join(directory, name), flags: MS_BIND });
      }
    },
  );
}

/** A TCP socket that lives in the network namespace pinned at `path`. */
export const openTcpSocketIn = (path: string): number =>
  inNetwork(path, () => openSocket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC));

/**
 * A socket of this process, bound in another network namespace: components that run in this process but belong to a pod
 * serve on it, by `server.listen({ fd })` or `socket.bind({ fd })`.
 */
export function bindSocketIn(
  path: string,
  options: { readonly protocol: "tcp" | "udp"; readonly address: string; readonly port: number },
): number {
  const type = options.protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM;
  const socket = inNetwork(path, () => openSocket(AF_INET, type | SOCK_CLOEXEC));
  try {
    bindInet(socket, options.address, options.port);
    return socket;
  } catch (error) {
    closeSync(socket);
    throw error;
  }
}

function inNetwork<T>(path: string, action: () => T): T {
  const namespace = openSync(path, "r");
  try {
    return within(["net"], () => setNamespace(namespace, CLONE_NEWNET), action);
  } finally {
    closeSync(namespace);
  }
}

/** Runs `action` after `enter` has changed this thread's namespaces, and comes back. */
function within<T>(names: readonly NamespaceName[], enter: () => void, action: () => T): T {
  const home = names.map((name) => ({ name, descriptor: openSync(`/proc/thread-self/ns/${name}`, "r") }));
  try {
    enter();
    try {
      return action();
    } finally {
      for (const { name, descriptor } of home) comeBack(descriptor, FLAGS[name]);
    }
  } finally {
    for (const { descriptor } of home) closeSync(descriptor);
  }
}

/** A process in the wrong namespace would do harm to the machine, so it must not go on. */
function comeBack(descriptor: number, flag: number): void {
  try {
    setNamespace(descriptor, flag);
  } catch (error) {
    process.stderr.write(`cannot come back to the own namespace: ${error}\n`);
    process.abort();
  }
}

function bringUpLoopback(): void {
  const socket = openSocket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
  try {
    const request = Buffer.alloc(IFREQ_BYTES);
    request.write("lo");
    ioctl(socket, SIOCGIFFLAGS, request);
    request.writeUInt16LE(request.readUInt16LE(IFREQ_FLAGS_OFFSET) | IFF_UP, IFREQ_FLAGS_OFFSET);
    ioctl(socket, SIOCSIFFLAGS, request);
  } finally {
    closeSync(socket);
  }
}

/** "net.ipv4.tcp_syncookies" or, where a part has dots itself, "net/ipv4/conf/eth0.1/forwarding". */
function setSysctl(name: string, value: string): void {
  const path = name.includes("/") ? name : name.replaceAll(".", "/");
  if (path.split("/").includes("..")) throw new Error(`invalid sysctl ${JSON.stringify(name)}`);
  writeFileSync(join("/proc/sys", path), value);
}
