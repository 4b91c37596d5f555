/**
 * `skiff down` and `skiff delete`. Both work from what lies in the cluster's folders, so that they also clean up after a
 * cluster that was killed, after a reboot, and a second time.
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { destroyNodeEnvironment } from "../kubelet/nodeEnvironment/nodeEnvironment.ts";
import { destroyClusterNetwork } from "../proxy/network/clusterNetwork.ts";
import { checkClusterName } from "./clusterConfig.ts";
import { userKubeconfigPath } from "./commands/kubeconfig.ts";
import { findProgram } from "./doctor.ts";
import { removeFromKubeconfig } from "./kubeconfig.ts";
import { clusterPaths } from "./paths.ts";
import { isAlive, type ProcessRecord, readProcessRecord, signalProcess } from "./processRecord.ts";
import { realClock } from "./realEnv.ts";

/** A process that has not ended this long after SIGTERM is killed. */
const TERMINATION_MAX_MS = 5_000;
const LOOK_AGAIN_MS = 10;

export async function bringDown(name: string): Promise<void> {
  // What follows removes folders that have this name.
  checkClusterName(name);
  const paths = clusterPaths(name);
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

export async function deleteCluster(name: string): Promise<void> {
  const paths = clusterPaths(name);
  await bringDown(name);
  rmSync(paths.data, { recursive: true, force: true });
  removeIfEmpty(dirname(paths.data));
  removeFromKubeconfig(userKubeconfigPath(), name);
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

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Another cluster lives there, or nothing ever did.
  }
}
