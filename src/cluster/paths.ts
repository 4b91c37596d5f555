/** Where a cluster keeps what it keeps. Everything below the two folders is ours, and `skiff delete` removes both. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { UserError } from "./userError.ts";

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
  /** Where agents ask resolvers that only this machine itself reaches. */
  readonly resolverSocket: string;
  readonly controlPlaneProcess: string;
  /** The shell that starts the control plane again. */
  readonly supervisorProcess: string;
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

/**
 * Folders that hold one folder per cluster. `SKIFF_HOME` moves both, for tests. Without root neither depends on how one
 * logged in, as XDG_RUNTIME_DIR does, nor goes when one logs out.
 */
export function baseDirectories(
  environment: NodeJS.ProcessEnv = process.env,
  uid: number = process.getuid?.() ?? 0,
): { data: string; run: string } {
  const home = environment.SKIFF_HOME;
  if (home !== undefined && home !== "") return { data: join(home, "data"), run: join(home, "run") };
  if (uid === 0) return { data: "/var/lib/skiff", run: "/run/skiff" };
  return {
    data: join(absolute(environment.XDG_DATA_HOME) ?? join(homedir(), ".local/share"), "skiff"),
    run: join(absolute(environment.XDG_STATE_HOME) ?? join(homedir(), ".local/state"), "skiff"),
  };
}

/** Others are to be ignored. Source: XDG Base Directory Specification. */
const absolute = (path: string | undefined) => (path !== undefined && isAbsolute(path) ? path : undefined);

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
    resolverSocket: join(run, "dns.sock"),
    controlPlaneProcess: join(run, "control-plane.json"),
    supervisorProcess: join(run, "supervisor.json"),
    node: (node) => ({
      data: join(data, "nodes", node),
      run: join(run, "nodes", node),
      // A socket's path is short, and the node's name begins with the cluster's.
      agentSocket: join(run, `${node.slice(name.length + 1)}.sock`),
      process: join(run, "nodes", node, "agent.json"),
      config: join(run, "nodes", node, "agent-config.json"),
      log: join(data, "logs", `${node}.log`),
    }),
  };
}

/** Source: unix(7), sun_path, less the byte that ends it; macOS has 104. */
const SOCKET_PATH_BYTES_MAX = process.platform === "darwin" ? 103 : 107;

/** The longest of a cluster's sockets is its first node's. @throws UserError when it would be too long for the system */
export function checkSocketPaths(name: string, base = baseDirectories()): void {
  const excess =
    Buffer.byteLength(clusterPaths(name, base).node(`${name}-control-plane`).agentSocket) - SOCKET_PATH_BYTES_MAX;
  if (excess <= 0) return;
  throw new UserError(
    `${base.run} is too long a path for the sockets of a cluster "${name}", by ${excess} characters: use a shorter name, or a shorter folder with SKIFF_HOME=<folder>`,
  );
}
