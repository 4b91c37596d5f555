/**
 * What makes a node on a machine that has several: a network, a mount and a host-name namespace, and a control group.
 *
 *   <run directory>/node.json     what this node is; all that tear-down needs
 *   <run directory>/{mnt,net,uts} the pinned namespaces
 *   /skiff/<cluster>/<node>/agent the node process, conmon, and what else serves the containers
 *   /skiff/<cluster>/<node>/pods  the containers
 *
 * Invariants: everything in the node is in its control group, so killing the group and unpinning the namespaces frees
 * all, also after every process of ours was killed. Mounts made in the node are seen only there and go with it.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../../lib/env.ts";
import type { Cgroups } from "./cgroups.ts";
import { detectCgroups } from "./detectCgroups.ts";
import { mount, unmount } from "./systemCalls.ts";

export interface NodeEnvironment {
  readonly cluster: string;
  readonly node: string;
  /** Sockets, pinned namespaces, state of containers; worthless after a reboot. */
  readonly runDirectory: string;
  /** On a disk: writable layers of containers. */
  readonly dataDirectory: string;
  readonly cgroupPath: string;
  readonly mountNamespace: string;
  readonly networkNamespace: string;
  readonly hostnameNamespace: string;
}

/** Source: linux/mount.h, MS_PRIVATE. */
const MS_PRIVATE = 1 << 18;
const NAMESPACES = { mnt: "--mount", net: "--net", uts: "--uts" } as const;
const PIN_REFUSED = /mount .* failed: Invalid argument/;
/** The hybrid layout's second hierarchy, which crun refuses; hidden in the node. */
const HYBRID_UNIFIED = "/sys/fs/cgroup/unified";

export const agentCgroup = (environment: NodeEnvironment): string => `${environment.cgroupPath}/agent`;
export const podsCgroup = (environment: NodeEnvironment): string => `${environment.cgroupPath}/pods`;

export interface NodeEnvironmentOptions {
  readonly runDirectory: string;
  readonly dataDirectory: string;
  readonly cluster: string;
  readonly node: string;
  readonly clock: Pick<Clock, "sleep">;
}

/** Makes the node, or finds it as it is. To be called outside of it, as root. */
export async function createNodeEnvironment(options: NodeEnvironmentOptions): Promise<NodeEnvironment> {
  const environment = describe(options);
  const cgroups = detectCgroups(options.clock);
  cgroups.create(agentCgroup(environment));
  cgroups.create(podsCgroup(environment));
  if (isComplete(environment)) return environment;
  unmountBelow(environment.runDirectory);
  await mkdir(environment.runDirectory, { recursive: true, mode: 0o700 });
  await mkdir(environment.dataDirectory, { recursive: true, mode: 0o700 });
  // Below the mount and in it: whenever we are killed, tear-down finds one of them.
  await writeRecord(environment);
  mountRunDirectory(environment);
  await writeRecord(environment);
  await pinNamespaces(environment);
  return environment;
}

const writeRecord = (environment: NodeEnvironment): Promise<void> =>
  writeFile(join(environment.runDirectory, "node.json"), JSON.stringify(environment));

/**
 * A tmpfs, because each container makes and removes some twenty small files here, for which a disk's file system takes
 * several times as long. Private, because a namespace's pin must lie on a mount that does not propagate.
 */
function mountRunDirectory({ runDirectory }: NodeEnvironment): void {
  mount({ source: "skiff", target: runDirectory, type: "tmpfs", data: "mode=0700" });
  mount({ source: "none", target: runDirectory, flags: MS_PRIVATE });
}

function describe({ runDirectory, dataDirectory, cluster, node }: NodeEnvironmentOptions): NodeEnvironment {
  const run = resolve(runDirectory);
  return {
    cluster,
    node,
    runDirectory: run,
    dataDirectory: resolve(dataDirectory),
    cgroupPath: `/skiff/${cluster}/${node}`,
    mountNamespace: join(run, "mnt"),
    networkNamespace: join(run, "net"),
    hostnameNamespace: join(run, "uts"),
  };
}

/** The node that lives in this run directory; undefined: none does. */
export function readNodeEnvironment(runDirectory: string): NodeEnvironment | undefined {
  const path = join(resolve(runDirectory), "node.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

async function pinNamespaces(environment: NodeEnvironment): Promise<void> {
  const run = environment.runDirectory;
  for (const name of Object.keys(NAMESPACES)) await writeFile(join(run, name), "");
  const pins = Object.entries(NAMESPACES).map(([name, option]) => `${option}=${join(run, name)}`);
  const setUp = [
    'echo "$1" >/proc/sys/kernel/hostname',
    "ip link set lo up",
    `if [ -d ${HYBRID_UNIFIED} ]; then umount ${HYBRID_UNIFIED}; fi`,
  ];
  const script = ["-c", setUp.join(" && "), "sh", environment.node];
  const command = ["unshare", ...pins, "--propagation", "private", "sh", ...script];
  const unpin = () => unmountBelow(run, { itself: false });
  await onAnyProcessor(command, unpin);
}

/**
 * A mount namespace can be pinned only in an older one, which Linux tells by their numbers (fs/namespace.c,
 * mnt_ns_loop). From 6.18 on each processor gives numbers of its own, so one that is made inside another young one, such
 * as a system service's, may be refused; on the processor that made the outer one it never is.
 */
async function onAnyProcessor(command: readonly string[], undo: () => void): Promise<void> {
  const processors = Array.from({ length: cpus().length }, (_, number) => ["taskset", "--cpu-list", String(number)]);
  // The reason is read from the program's words.
  const env = { ...process.env, LC_ALL: "C" };
  let failure: unknown;
  for (const prefix of [[], ...processors]) {
    const [program = "", ...rest] = [...prefix, ...command];
    try {
      await promisify(execFile)(program, rest, { env });
      return;
    } catch (error) {
      undo();
      failure ??= error;
      if (!PIN_REFUSED.test((error as Error).message)) break;
    }
  }
  throw failure;
}

/** Whether all namespaces are pinned: a pin that is only an empty file is left from before a reboot. */
function isComplete(environment: NodeEnvironment): boolean {
  const mounted = new Set(mountPoints());
  return Object.keys(NAMESPACES).every((name) => mounted.has(join(environment.runDirectory, name)));
}

function mountPoints(): readonly string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const decode = (path: string) =>
    path.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
  return lines.map((line) => decode(line.split(" ")[4] ?? "")).filter((path) => path !== "");
}

/**
 * The command that runs `argv` in the node: in its control group, then in its namespaces, in the current directory.
 * The shell and nsenter replace themselves, so the process started is the program itself.
 */
export function enterCommand(environment: NodeEnvironment, argv: readonly string[], cgroups: Cgroups): string[] {
  const join = cgroups.joinFiles(agentCgroup(environment)).map((file) => `echo $$ >${quote(file)}`);
  const enter = [
    "exec nsenter",
    `--mount=${quote(environment.mountNamespace)}`,
    `--net=${quote(environment.networkNamespace)}`,
    `--uts=${quote(environment.hostnameNamespace)}`,
    '--wd="$PWD" -- "$@"',
  ];
  return ["sh", "-c", [...join, enter.join(" ")].join(" && "), "sh", ...argv];
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Kills everything in the node and removes all of it but its data. Safe to repeat, and for a node half made. */
export async function destroyNodeEnvironment(options: {
  readonly runDirectory: string;
  readonly clock: Pick<Clock, "sleep">;
}): Promise<void> {
  const environment = readNodeEnvironment(options.runDirectory) ?? readBelowMount(options.runDirectory);
  if (environment !== undefined) {
    const cgroups = detectCgroups(options.clock);
    await cgroups.killAll(environment.cgroupPath);
    await cgroups.remove(environment.cgroupPath);
    removeEmptyParents(environment, cgroups);
    await rm(join(environment.dataDirectory, "containers"), { recursive: true, force: true });
  }
  unmountBelow(resolve(options.runDirectory));
  await rm(resolve(options.runDirectory), { recursive: true, force: true });
}

function readBelowMount(runDirectory: string): NodeEnvironment | undefined {
  unmountBelow(resolve(runDirectory));
  return readNodeEnvironment(runDirectory);
}

/** The cluster's group goes with its last node, and ours with the last cluster. */
function removeEmptyParents({ cluster }: NodeEnvironment, cgroups: Cgroups): void {
  for (const path of [`/skiff/${cluster}`, "/skiff"]) cgroups.removeIfEmpty(path);
}

/** Innermost first. Nothing may be mounted below a directory that is about to be removed. */
function unmountBelow(directory: string, { itself = true } = {}): void {
  const below = mountPoints().filter((path) => (itself && path === directory) || path.startsWith(`${directory}/`));
  for (const path of below.reverse()) unmount(path);
}
