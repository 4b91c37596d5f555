/** `skiff up`: from nothing, or from what is there, to a cluster whose nodes are Ready. Safe to repeat. */

import { isPortFree } from "./apiPort.ts";
import { type ClusterConfig, checkClusterName } from "./clusterConfig.ts";
import { withClusterLock } from "./clusterLock.ts";
import { configFor } from "./configFor.ts";
import { checkSocketPaths, clusterPaths } from "./paths.ts";
import type { Progress } from "./progress.ts";
import { realClock } from "./realEnv.ts";
import { controlPlaneOf, isRunning } from "./runningCluster.ts";
import { notReady, type StartingControlPlane, startControlPlane } from "./startControlPlane.ts";
import { endSupervisor } from "./superviseControlPlane.ts";
import { typedCommand } from "./typedCommand.ts";
import type { UpOptions } from "./upOptions.ts";
import { UserError } from "./userError.ts";

export async function bringUp(options: UpOptions, progress: Progress): Promise<ClusterConfig> {
  checkClusterName(options.name);
  checkSocketPaths(options.name);
  const { config, starting } = await withClusterLock(
    options.name,
    () => ensureStarted(options, progress),
    options.signal,
  );
  if (starting !== undefined) await untilStarted(starting, options.wait);
  else if (options.wait > 0) await untilReady(options);
  options.signal?.throwIfAborted();
  if (options.sample === true) await (await import("./sample.ts")).deploySample(options.name, progress);
  return config;
}

interface Started {
  readonly config: ClusterConfig;
  /** Undefined when it runs already. */
  readonly starting?: StartingControlPlane;
}

/** Nobody else starts, stops or deletes this cluster meanwhile. Done when the control plane has been written down. */
async function ensureStarted(options: UpOptions, progress: Progress): Promise<Started> {
  const { config, reservation } = await configFor(options, progress);
  try {
    options.signal?.throwIfAborted();
    // One that waits to start a control plane again has waited long enough.
    if (controlPlaneOf(config.name) === undefined) {
      await endSupervisor(clusterPaths(config.name).supervisorProcess, realClock);
    }
    if (isRunning(config.name)) {
      progress.note(`cluster "${config.name}" is already running`);
      return { config };
    }
    if (!(await isPortFree(config.apiPort))) throw portTaken(config);
    options.signal?.throwIfAborted();
    const starting = startControlPlane(config, progress);
    void starting.serving.then(() => reservation?.release());
    await untilBegun(starting);
    return { config, starting };
  } catch (error) {
    reservation?.release();
    throw error;
  }
}

const portTaken = ({ apiPort, name }: ClusterConfig) =>
  new UserError(
    `port ${apiPort} on 127.0.0.1 is in use by another program, and cluster "${name}" needs it; end that program, or use another port: ${typedCommand("up", name)} --port <port>`,
  );

async function untilBegun({ begun }: StartingControlPlane): Promise<void> {
  const enough = new AbortController();
  const late = realClock.sleep(BEGUN_WITHIN_MS, enough.signal).catch(() => undefined);
  await Promise.race([begun, late]);
  enough.abort();
}

/** With `--wait 0` at least the API must answer. */
const SERVING_WITHIN_SECONDS = 60;

const untilStarted = (starting: StartingControlPlane, waitSeconds: number): Promise<void> =>
  waitSeconds === 0 ? starting.until("serving", SERVING_WITHIN_SECONDS) : starting.until("ready", waitSeconds);

const LOOK_AGAIN_MS = 50;
/** Others need not wait longer than this for one that does not get so far as to write itself down. */
const BEGUN_WITHIN_MS = 10_000;

/** Another `skiff up` may be starting the cluster at this moment. */
async function untilReady({ name, wait, signal }: UpOptions): Promise<void> {
  const { summarise } = await import("./status.ts");
  const deadlineMs = realClock.monotonic() + wait * 1000;
  while (realClock.monotonic() < deadlineMs) {
    if (!isRunning(name)) throw new UserError(`cluster "${name}" was stopped while it was starting`);
    const nodes = await summarise(name).then(
      (summary) => summary.nodes,
      () => [],
    );
    if (nodes.length > 0 && nodes.every(({ ready }) => ready)) return;
    await realClock.sleep(LOOK_AGAIN_MS, signal);
  }
  throw notReady(name, wait);
}
