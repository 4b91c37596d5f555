/** What `skiff up` starts: the cluster as it was made, or a new one as it was asked for. */

import { findProgram } from "../lib/findProgram.ts";
import { reserveFreePort } from "./apiPort.ts";
import {
  CLUSTER_DNS,
  type ClusterConfig,
  nodeNames,
  POD_CIDR,
  type RuntimeName,
  readClusterConfig,
  SERVICE_CIDR,
  writeClusterConfig,
} from "./clusterConfig.ts";
import { clusterNames } from "./commands/list.ts";
import { containersImpossible } from "./doctor.ts";
import { type Lock, withLock } from "./lock.ts";
import { baseDirectories, clusterPaths } from "./paths.ts";
import type { Progress } from "./progress.ts";
import { realClock } from "./realEnv.ts";
import { isRunning } from "./runningCluster.ts";
import { typedCommand } from "./typedCommand.ts";
import type { UpOptions } from "./upOptions.ts";
import { UserError } from "./userError.ts";

export interface Chosen {
  readonly config: ClusterConfig;
  /** Of a port that was chosen now; to be released once the API server listens, or does not. */
  readonly reservation?: Lock | undefined;
}

/** Written down before it is returned. */
export async function configFor(options: UpOptions, progress: Progress): Promise<Chosen> {
  const paths = clusterPaths(options.name);
  const existing = readClusterConfig(paths);
  const chosen = existing === undefined ? await newConfig(options) : { config: changedConfig(existing, options) };
  if (chosen.config.runtime === "simulated") explainSimulated(options, progress);
  if (existing !== undefined && chosen.config !== existing) writeClusterConfig(paths, chosen.config);
  return chosen;
}

/** One line, with the remedy; none when it is what was asked for and real containers are possible. */
function explainSimulated({ name, runtime }: UpOptions, progress: Progress): void {
  const why = containersImpossible();
  if (why !== undefined) progress.warn(`containers are simulated here: ${why}`);
  else if (runtime === undefined) {
    const [remove, make] = [typedCommand("delete", name), typedCommand("up", name)];
    progress.warn(
      `containers of cluster "${name}" are simulated, as it was made so; for real ones make it anew: ${remove} && ${make}`,
    );
  }
}

/** Two new clusters must not choose the same number or port. */
const newConfig = (options: UpOptions): Promise<Chosen> =>
  withLock(
    `new cluster in ${baseDirectories().data}`,
    { clock: realClock, withinMs: 10_000, signal: options.signal, busy: "another cluster is being made; try again" },
    async () => {
      const others = clusterNames().map(configOf);
      const runtime = runtimeFor(options.runtime);
      const chosen =
        options.port === undefined
          ? await reserveFreePort(others.map((other) => other?.apiPort))
          : { port: options.port };
      const config: ClusterConfig = {
        version: 1,
        name: options.name,
        nodes: nodeNames(options.name, options.nodes ?? 1),
        ...runtime,
        apiPort: chosen.port,
        podCidr: POD_CIDR,
        serviceCidr: SERVICE_CIDR,
        clusterDns: CLUSTER_DNS,
        index: lowestFree(others.map((other) => other?.index)),
      };
      writeClusterConfig(clusterPaths(options.name), config);
      return { config, ...("reservation" in chosen && { reservation: chosen.reservation }) };
    },
  );

/** Undefined for one that is damaged, or goes meanwhile: it is not in this cluster's way. */
function configOf(name: string): ClusterConfig | undefined {
  try {
    return readClusterConfig(clusterPaths(name));
  } catch {
    return undefined;
  }
}

function lowestFree(used: readonly (number | undefined)[]): number {
  let index = 0;
  while (used.includes(index)) index++;
  return index;
}

/** An existing cluster keeps what it was made with; asking for something else says so instead of ignoring it. */
function changedConfig(existing: ClusterConfig, options: UpOptions): ClusterConfig {
  const { name } = options;
  const remedy = `choose another name with --name, or remove it first: ${typedCommand("delete", name)}`;
  if (options.nodes !== undefined && options.nodes !== existing.nodes.length) {
    throw new UserError(
      `there is already a cluster "${name}", and it has ${existing.nodes.length} node(s), not ${options.nodes}; ${remedy}`,
    );
  }
  if (options.runtime !== undefined && runtimeFor(options.runtime).runtime !== existing.runtime) {
    throw new UserError(`there is already a cluster "${name}", and its runtime is ${existing.runtime}; ${remedy}`);
  }
  if (options.port === undefined || options.port === existing.apiPort) return existing;
  if (isRunning(name)) {
    const down = typedCommand("down", name);
    throw new UserError(`cluster "${name}" runs on port ${existing.apiPort}; to change it, stop it first: ${down}`);
  }
  return { ...existing, apiPort: options.port };
}

/** @throws UserError when the machine cannot do what was asked for. */
function runtimeFor(asked: string | undefined): { runtime: RuntimeName; ociRuntime?: string } {
  const impossible = containersImpossible();
  const installed = ["crun", "runc"].find((name) => findProgram(name) !== undefined);
  switch (asked) {
    case undefined:
      return impossible === undefined ? { runtime: "oci", ociRuntime: installed } : { runtime: "simulated" };
    case "simulated":
      return { runtime: "simulated" };
    case "oci":
    case "crun":
    case "runc":
      if (impossible !== undefined) throw new UserError(`real containers are not possible here: ${impossible}`);
      if (asked !== "oci" && findProgram(asked) === undefined)
        throw new UserError(`${asked} is not installed; run: apt-get install -y ${asked}`);
      return { runtime: "oci", ociRuntime: asked === "oci" ? installed : asked };
    default:
      throw new UserError(`there is no runtime "${asked}"; there are: oci, crun, runc, simulated`);
  }
}
