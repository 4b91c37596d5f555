/** Where a cluster keeps what it keeps. Everything below the two folders is ours, and `skiff delete` removes both. */
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface ClusterPaths {
  /** What survives `skiff down`. */
  readonly data: string;
  /** What lives as long as the cluster runs: sockets, process ids, pinned namespaces. */
  readonly run: string;
  readonly config: string;
  readonly pki: string;
  readonly store: string;
  readonly images: string;
  readonly logs: string;
  readonly kubeconfig: string;
  readonly apiSocket: string;
  /** Where agents reach the components of the control plane, for their logs and restarts. */
  readonly componentsSocket: string;
  readonly controlPlaneProcess: string;
  readonly node: (name: string) => NodePaths;
}

export interface NodePaths {
  readonly data: string;
  readonly run: string;
  readonly agentSocket: string;
  readonly process: string;
  readonly config: string;
  readonly log: string;
}

/** Folders that hold one folder per cluster. `SKIFF_HOME` moves both, for tests. */
export function baseDirectories(
  environment: NodeJS.ProcessEnv = process.env,
  uid: number = process.getuid?.() ?? 0,
  ownerOf: (path: string) => number | undefined = fileOwner,
): { data: string; run: string } {
  const home = environment.SKIFF_HOME;
  if (home !== undefined && home !== "") return { data: join(home, "data"), run: join(home, "run") };
  if (uid === 0) return { data: "/var/lib/skiff", run: "/run/skiff" };
  return {
    data: join(environment.XDG_DATA_HOME ?? join(homedir(), ".local/share"), "skiff"),
    run: runDirectoryOf(uid, environment.XDG_RUNTIME_DIR, ownerOf),
  };
}

/** `su` and `sudo` can leave somebody else's XDG_RUNTIME_DIR behind. */
const runDirectoryOf = (uid: number, offered: string | undefined, ownerOf: (path: string) => number | undefined) =>
  offered !== undefined && ownerOf(offered) === uid ? join(offered, "skiff") : `/tmp/skiff-${uid}`;

const fileOwner = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.uid;

export function clusterPaths(name: string, base = baseDirectories()): ClusterPaths {
  const data = join(base.data, name);
  const run = join(base.run, name);
  return {
    data,
    run,
    config: join(data, "cluster.json"),
    pki: join(data, "pki"),
    store: join(data, "store.sqlite"),
    images: join(data, "images"),
    logs: join(data, "logs"),
    kubeconfig: join(data, "kubeconfig"),
    apiSocket: join(run, "api.sock"),
    componentsSocket: join(run, "parts.sock"),
    controlPlaneProcess: join(run, "control-plane.json"),
    node: (node) => ({
      data: join(data, "nodes", node),
      run: join(run, "nodes", node),
      agentSocket: join(run, "nodes", node, "agent.sock"),
      process: join(run, "nodes", node, "agent.json"),
      config: join(run, "nodes", node, "agent-config.json"),
      log: join(data, "logs", `${node}.log`),
    }),
  };
}
