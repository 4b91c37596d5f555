/**
 * What of a cluster is on this machine: processes, mounts, control groups, interfaces, routes, rules and files. Only what
 * carries the cluster's own name, home or network range counts, so other clusters may come and go meanwhile.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { run } from "./processes.ts";

/** By which a cluster's traces are known, also after it is gone. */
export interface ClusterIdentity {
  readonly name: string;
  readonly home: string;
  /** First three numbers of the addresses of its nodes; undefined for simulated ones. */
  readonly range?: string;
  /** The interface on the host and the nftables table are called the same. */
  readonly uplink?: string;
}

export type Traces = Readonly<
  Record<"processes" | "mounts" | "namespaces" | "cgroups" | "interfaces" | "routes" | "rules" | "files", string[]>
>;

/** It is there while a cluster with real nodes runs. */
export const networkFile = (home: string, name: string): string => join(home, "run", name, "network.json");

/** To be called while it runs, with real nodes. */
export async function identify({ name, home }: Pick<ClusterIdentity, "name" | "home">): Promise<ClusterIdentity> {
  const { range } = JSON.parse(readFileSync(networkFile(home, name), "utf8")) as { range: string };
  const prefix = range.split(".").slice(0, 3).join(".");
  const addresses = (await run(["ip", "-4", "-o", "address"])).split("\n");
  const uplink = addresses.find((line) => line.includes(` ${prefix}.`))?.split(/ +/)[1];
  if (uplink === undefined) throw new Error(`no interface has an address of ${range}`);
  return { name, home, range: `${prefix}.`, uplink };
}

export async function tracesOf(identity: ClusterIdentity): Promise<Traces> {
  const { range, uplink } = identity;
  const lines = async (command: readonly string[], ...marks: (string | undefined)[]) =>
    (await run(command)).split("\n").filter((line) => marks.some((mark) => mark !== undefined && line.includes(mark)));
  return {
    processes: processIds(identity).map((pid) => `${pid} ${commandOf(pid)}`),
    mounts: readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(`${identity.home}/`)),
    namespaces: namespacesOf(identity),
    cgroups: cgroupsOf(identity.name),
    interfaces: await lines(["ip", "-o", "address"], range, uplink),
    routes: await lines(["ip", "route", "show", "table", "all"], range, uplink),
    // Without root there can be none of ours, and nobody may look.
    rules: process.getuid?.() === 0 ? await lines(["nft", "list", "ruleset"], range, uplink) : [],
    files: filesOf(identity),
  };
}

/** Traces that a stopped cluster may not have: all but its data. */
export const runningTraces = ({ files, ...traces }: Traces): Omit<Traces, "files"> => traces;

const cgroupMark = ({ name }: ClusterIdentity): string => `/skiff/${name}/`;

/** Of the cluster: in one of its control groups, or with its home or name in the command line. */
export function processIds(identity: ClusterIdentity): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map(Number)
    .filter((pid) => {
      const command = commandOf(pid);
      const isOurs = command.includes(`${identity.home}/`) || command.split(" ").includes(identity.name);
      return isOurs || readText(`/proc/${pid}/cgroup`).includes(cgroupMark(identity));
    });
}

export const commandOf = (pid: number): string => readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();

/** A process may end while it is looked at. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Network namespaces of the cluster's processes and pins; a namespace lives as long as either. */
function namespacesOf(identity: ClusterIdentity): string[] {
  const own = readlinkSync("/proc/self/ns/net");
  const held = processIds(identity).map((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`);
    } catch {
      return own;
    }
  });
  return [...new Set(held)].filter((namespace) => namespace !== own);
}

/** In every hierarchy; v1 has several. */
function cgroupsOf(name: string): string[] {
  const root = "/sys/fs/cgroup";
  const roots = ["", ...readdirSync(root)].map((hierarchy) => join(root, hierarchy, "skiff", name));
  return roots.filter((path) => {
    try {
      return readdirSync(path).length > 0;
    } catch {
      return false;
    }
  });
}

/** Below the home, and with the cluster's name where programs leave things. */
function filesOf({ name, home }: ClusterIdentity): string[] {
  const below = ["data", "run"].map((folder) => join(home, folder)).filter(exists);
  const elsewhere = ["/tmp", "/run", "/run/netns", "/var/run", "/var/lib", "/var/tmp", "/dev/shm"].flatMap(
    (directory) =>
      (exists(directory) ? readdirSync(directory) : [])
        .map((entry) => join(directory, entry))
        .filter((path) => path.includes(name) && path !== home),
  );
  return [...below, ...elsewhere];
}

function exists(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
