/**
 * `skiff down` and `skiff delete`. Both work from what lies in the cluster's folders, so that they also clean up after a
 * cluster that was killed, after a reboot, and a second time.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { getSystemErrorMessage } from "node:util";
import { destroyNodeEnvironment } from "../kubelet/nodeEnvironment/nodeEnvironment.ts";
import { findProgram } from "../lib/findProgram.ts";
import { destroyClusterNetwork } from "../proxy/network/clusterNetwork.ts";
import { checkClusterName } from "./clusterConfig.ts";
import { withClusterLock } from "./clusterLock.ts";
import { userKubeconfigPath } from "./commands/kubeconfig.ts";
import { removeFromKubeconfig } from "./kubeconfig.ts";
import { clusterPaths } from "./paths.ts";
import { isAlive, type ProcessRecord, readProcessRecord, signalProcess } from "./processRecord.ts";
import { realClock } from "./realEnv.ts";
import { endSupervisor } from "./superviseControlPlane.ts";

/** A process that has not ended this long after SIGTERM is killed. */
const TERMINATION_MAX_MS = 5_000;
const LOOK_AGAIN_MS = 10;

export async function bringDown(name: string): Promise<void> {
  // What follows removes folders that have this name.
  checkClusterName(name);
  await withClusterLock(name, () => stopCluster(name));
}

/** @returns what the person should know of their kubeconfig: the cluster is gone by then, whatever is wrong with that file. */
export async function deleteCluster(name: string): Promise<string | undefined> {
  checkClusterName(name);
  const paths = clusterPaths(name);
  await withClusterLock(name, async () => {
    await stopCluster(name);
    removeWhole(paths.data);
    removeIfEmpty(dirname(paths.data));
  });
  return forgetContext(userKubeconfigPath(), name);
}

function forgetContext(path: string, name: string): string | undefined {
  try {
    removeFromKubeconfig(path, name);
    return undefined;
  } catch (error) {
    if (hasNothingOf(path, name)) return undefined;
    return `${path} may still have the context skiff-${name}: it cannot be read or changed (${reasonOf(error)})`;
  }
}

/** What is no kubeconfig, and never was given ours, is not our business. */
function hasNothingOf(path: string, name: string): boolean {
  try {
    return !readFileSync(path, "utf8").includes(`skiff-${name}`);
  } catch {
    return false;
  }
}

/** The first line of the innermost cause, or what the system calls it. */
function reasonOf(error: unknown): string {
  const { cause, code, errno, message } = error as NodeJS.ErrnoException;
  if (cause !== undefined) return reasonOf(cause);
  return code !== undefined && errno !== undefined
    ? getSystemErrorMessage(-Math.abs(errno))
    : (message.split("\n")[0] as string);
}

async function stopCluster(name: string): Promise<void> {
  const paths = clusterPaths(name);
  await endSupervisor(paths.supervisorProcess, realClock);
  await endProcess(readProcessRecord(paths.controlPlaneProcess));
  const nodesDirectory = join(paths.run, "nodes");
  const nodes = existsSync(nodesDirectory) ? readdirSync(nodesDirectory) : [];
  await Promise.all(
    nodes.map(async (node) => {
      const agent = readProcessRecord(paths.node(node).process);
      if (agent !== undefined) signalProcess(agent, "SIGKILL");
      await destroyNodeEnvironment({ runDirectory: paths.node(node).run, clock: realClock });
    }),
  );
  if (existsSync(paths.run) && process.getuid?.() === 0 && findProgram("nft") !== undefined) {
    await destroyClusterNetwork({ cluster: name, runDirectory: paths.run });
  }
  rmSync(paths.run, { recursive: true, force: true });
  removeIfEmpty(dirname(paths.run));
}

async function endProcess(record: ProcessRecord | undefined): Promise<void> {
  if (record === undefined) return;
  signalProcess(record, "SIGTERM");
  const deadlineMs = realClock.now() + TERMINATION_MAX_MS;
  while (isAlive(record)) {
    if (realClock.now() > deadlineMs) signalProcess(record, "SIGKILL");
    await realClock.sleep(LOOK_AGAIN_MS);
  }
}

/** What a delete that is killed leaves may not be taken for a cluster. The next one removes it. */
function removeWhole(directory: string): void {
  const doomed = join(dirname(directory), `.${basename(directory)}.deleted`);
  rmSync(doomed, { recursive: true, force: true });
  try {
    renameSync(directory, doomed);
  } catch {
    // There is none, or it cannot be moved; then it is removed where it is.
  }
  for (const one of [directory, doomed]) rmSync(one, { recursive: true, force: true });
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Another cluster lives there, or nothing ever did.
  }
}
