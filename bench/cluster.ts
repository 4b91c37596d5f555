/** A cluster of its own for a benchmark, driven through the command that users type. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { load } from "../src/cluster/kubeconfigFile.ts";

const bin = join(import.meta.dirname, "../bin/skiff.cjs");

export interface BenchCluster {
  readonly name: string;
  readonly home: string;
  /** Runs `skiff …` and gives its wall time in ms. */
  skiff(...args: string[]): number;
  kubeconfig(): string;
  /** Process ids of all processes of the cluster that are ours: control plane, agents and conmon. */
  processes(): number[];
  delete(): void;
}

export function benchCluster(name: string): BenchCluster {
  // Short, because Unix socket paths are limited to 107 bytes.
  const home = mkdtempSync("/tmp/skb");
  const env = { ...process.env, SKIFF_HOME: home };
  const skiff = (...args: string[]) => {
    const startedMs = performance.now();
    execFileSync(process.execPath, [bin, ...args, "--name", name], { env, stdio: ["ignore", "pipe", "pipe"] });
    return performance.now() - startedMs;
  };
  return {
    name,
    home,
    skiff,
    kubeconfig: () => join(home, "data", name, "kubeconfig"),
    processes: () => processesOf(home),
    delete: () => {
      skiff("delete");
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Those whose command line names the cluster's folder or whose environment has it as home. */
function processesOf(home: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && (text(`/proc/${pid}/cmdline`).includes(home) || isOurs(pid, home)));
}

const isOurs = (pid: number, home: string) =>
  text(`/proc/${pid}/environ`).split("\0").includes(`SKIFF_HOME=${home}`) &&
  text(`/proc/${pid}/cmdline`).includes("skiff");

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Proportional set size in MiB, summed. */
export const pssMiB = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(text(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0) / 1024;

/** User and system time in ms so far, summed. */
export const cpuMs = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const stat = text(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
  }, 0);

export { load };
