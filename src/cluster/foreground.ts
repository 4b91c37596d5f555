/** `skiff up --foreground`: stays, shows a live line, and on Ctrl-C does what `skiff down` does. */
import colours from "picocolors";
import { bringDown } from "./down.ts";
import { clusterPaths } from "./paths.ts";
import { readProcessRecord } from "./processRecord.ts";
import { formatDuration, type Progress } from "./progress.ts";
import { realClock } from "./realEnv.ts";
import { type ClusterSummary, summarise } from "./status.ts";
import { bringUp, type UpOptions } from "./up.ts";
import { UserError } from "./userError.ts";

const REFRESH_MS = 2_000;

export async function runForeground(options: UpOptions, progress: Progress): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  const startedMs = realClock.monotonic();
  try {
    await untilAborted(stopping.signal, bringUp(options, progress));
    if (!stopping.signal.aborted) {
      printAccess(options, progress, realClock.monotonic() - startedMs);
      await showStatus(options.name, stopping.signal);
    }
  } finally {
    process.stderr.write(process.stderr.isTTY ? "\r\x1b[K" : "");
    await progress.step(`cluster "${options.name}" stopped; its data is kept`, () => bringDown(options.name));
  }
}

/** Resolves with the work, or as soon as the person has had enough. */
async function untilAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  await Promise.race([work, aborted]);
}

function printAccess(options: UpOptions, progress: Progress, durationMs: number): void {
  const { kubeconfig } = clusterPaths(options.name);
  progress.note("");
  progress.note(`The cluster is up (${formatDuration(durationMs)}). In another terminal:`);
  progress.note("");
  console.log(`export KUBECONFIG=${kubeconfig}`);
  if (options.sample === true) console.log("curl http://127.0.0.1:30080/        # the sample");
  console.log("kubectl get pods -o wide");
  console.log("kubectl set image deployment/go-api go-api=go-api:0.0.3");
  console.log("kubectl rollout status deployment/go-api");
  progress.note("");
  progress.note("Ctrl-C stops it and keeps its data.");
}

async function showStatus(name: string, signal: AbortSignal): Promise<void> {
  const { controlPlaneProcess } = clusterPaths(name);
  while (!signal.aborted) {
    if (readProcessRecord(controlPlaneProcess) === undefined) {
      throw new UserError(`the control plane of cluster "${name}" has ended; see: skiff logs --name ${name}`);
    }
    if (process.stderr.isTTY) {
      const line = await summarise(name).then(statusLine, (error: Error) => colours.yellow(error.message));
      if (!signal.aborted) process.stderr.write(`\r\x1b[K ${line}`);
    }
    await realClock.sleep(REFRESH_MS, signal).catch(() => undefined);
  }
}

const statusLine = ({ nodes, podsRunning, podsTotal }: ClusterSummary): string => {
  const ready = nodes.filter((node) => node.ready).length;
  const dot = ready === nodes.length ? colours.green("●") : colours.yellow("●");
  return `${dot} ${ready}/${nodes.length} nodes Ready   ${podsRunning}/${podsTotal} pods Running`;
};
