/**
 * `skiff up --foreground`: stays, shows a live line, starts again a control plane that died together with the shell that
 * looks after it, and on Ctrl-C does what `skiff down` does. Over a cluster that runs already it only shows the line: Ctrl-C leaves that cluster as it was.
 */

import { existsSync } from "node:fs";
import colours from "picocolors";
import { findProgram } from "../lib/findProgram.ts";
import { bringDown } from "./down.ts";
import { existingConfig } from "./images.ts";
import { CLEAR_LINE, isLive, liveLine } from "./liveLine.ts";
import { clusterPaths } from "./paths.ts";
import { formatDuration, type Progress } from "./progress.ts";
import { realClock } from "./realEnv.ts";
import { controlPlaneOf, isRunning } from "./runningCluster.ts";
import { SAMPLE_URL } from "./sample.ts";
import { type ClusterSummary, summarise } from "./status.ts";
import { typedCommand } from "./typedCommand.ts";
import { bringUp } from "./up.ts";
import type { UpOptions } from "./upOptions.ts";
import { UserError } from "./userError.ts";

const REFRESH_MS = 2_000;
/** A control plane that ended sooner than this after its start is not started again: it would end again. */
const LIFETIME_MIN_MS = 10_000;

export async function runForeground(asked: UpOptions, progress: Progress): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  // The terminal may go before we do; what we write then reaches nobody.
  for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);
  const options = { ...asked, signal: stopping.signal };
  if (isRunning(options.name)) await follow(options, progress);
  else await own(options, progress);
}

type ForegroundOptions = UpOptions & { readonly signal: AbortSignal };

async function own(options: ForegroundOptions, progress: Progress): Promise<void> {
  const startedMs = realClock.monotonic();
  try {
    await untilAborted(options.signal, bringUp(options, progress));
  } catch (error) {
    await bringDown(options.name);
    throw error;
  }
  if (!options.signal.aborted) {
    printAccess(options, progress, `The cluster is up (${formatDuration(realClock.monotonic() - startedMs)}).`);
    progress.note("Ctrl-C stops it and keeps its data.");
    await showStatus(
      options,
      () => revive(options, progress),
      () => sayRestarted(options, progress),
    );
  }
  clearLine();
  if (wasBroughtDown(options)) progress.note(`cluster "${options.name}" was stopped elsewhere`);
  else await progress.step(`cluster "${options.name}" stopped; its data is kept`, () => bringDown(options.name));
}

async function follow(options: ForegroundOptions, progress: Progress): Promise<void> {
  await untilAborted(options.signal, bringUp(options, progress));
  const down = typedCommand("down", options.name);
  if (!options.signal.aborted) {
    printAccess(options, progress, "The cluster is up.");
    progress.note(`Ctrl-C ends this view; the cluster runs on until: ${down}`);
    await showStatus(
      options,
      async () => false,
      () => sayRestarted(options, progress),
    );
  }
  clearLine();
  progress.note(isRunning(options.name) ? `the cluster runs on; stop it with: ${down}` : "the cluster has stopped");
}

/** Resolves with the work, or as soon as the person has had enough. */
async function untilAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  await Promise.race([work, aborted]);
}

function printAccess({ name, sample }: UpOptions, progress: Progress, headline: string): void {
  const { kubeconfig } = clusterPaths(name);
  const { runtime } = existingConfig(name);
  progress.note("");
  progress.note(`${headline} In another terminal:`);
  progress.note("");
  console.log(`export KUBECONFIG=${kubeconfig}`);
  console.log("kubectl get pods -o wide");
  if (sample === true) {
    console.log("kubectl set image deployment/go-api go-api=go-api:0.0.3");
    console.log("kubectl rollout status deployment/go-api");
    console.log(`curl ${SAMPLE_URL}${runtime === "simulated" ? "  # answers where containers are real" : ""}`);
  } else {
    console.log("kubectl get nodes");
    console.log("kubectl get events --watch");
  }
  progress.note("");
  if (findProgram("kubectl") === undefined) {
    progress.note("kubectl is not on this machine; any version works: https://kubernetes.io/docs/tasks/tools/");
  }
}

/** Until the person has had enough, or the control plane is gone and `revived` says that it stays so. */
async function showStatus(
  { name, signal }: ForegroundOptions,
  revived: () => Promise<boolean>,
  restarted: () => void,
): Promise<void> {
  let shown = controlPlaneOf(name)?.pid;
  while (!signal.aborted) {
    if (!isRunning(name) && !(await revived())) return;
    const now = controlPlaneOf(name)?.pid;
    if (now !== undefined && now !== shown) restarted();
    shown = now ?? shown;
    if (isLive(process.stderr)) {
      const line = await summarise(name).then(statusLine, () => colours.yellow("the API server does not answer"));
      if (!signal.aborted) process.stderr.write(liveLine(` ${line}`));
    }
    await realClock.sleep(REFRESH_MS, signal).catch(() => undefined);
  }
}

/** A control plane that is asked to end removes its record; one that dies leaves it. */
const wasBroughtDown = ({ name, signal }: ForegroundOptions) =>
  !signal.aborted && !existsSync(clusterPaths(name).controlPlaneProcess);

function sayRestarted({ name }: UpOptions, progress: Progress): void {
  clearLine();
  progress.warn(`the control plane ended unexpectedly and was started again; see: ${typedCommand("logs", name)}`);
}

let revivedMs = Number.NEGATIVE_INFINITY;

/** Starts a control plane that died, which takes over the containers that still run. @returns false after `skiff down` */
async function revive(options: ForegroundOptions, progress: Progress): Promise<boolean> {
  if (wasBroughtDown(options)) return false;
  clearLine();
  const complaint = `the control plane of cluster "${options.name}" has ended unexpectedly`;
  if (realClock.monotonic() - revivedMs < LIFETIME_MIN_MS) {
    await bringDown(options.name);
    throw new UserError(`${complaint}, twice; see: ${typedCommand("logs", options.name)}`);
  }
  progress.warn(`${complaint}; it is started again`);
  revivedMs = realClock.monotonic();
  await untilAborted(options.signal, bringUp({ ...options, sample: false }, progress));
  return true;
}

function clearLine(): void {
  if (isLive(process.stderr)) process.stderr.write(CLEAR_LINE);
}

const statusLine = ({ nodes, podsRunning, podsTotal }: ClusterSummary): string => {
  const ready = nodes.filter((node) => node.ready).length;
  const dot = ready === nodes.length ? colours.green("●") : colours.yellow("●");
  return `${dot} ${ready}/${nodes.length} nodes Ready   ${podsRunning}/${podsTotal} pods Running`;
};
