/**
 * What a simulated container does, scripted by annotations of its pod. `simulated.skiff.dev/<key>` is for all of the
 * pod's containers, `<container>.simulated.skiff.dev/<key>` for one.
 *
 *   start-delay: 2s        how long its start takes
 *   run-for: 1s            ends by itself after that; without it, it runs until it is stopped
 *   exit-code: "1"         code of that end (0)
 *   exit-reason: OOMKilled reason of that end (Completed or Error)
 *   stop-delay: 5s         how long it takes to end once told to (at once); SIGKILL after the grace period cuts it short
 *   stop-exit-code: "143"  code of that end (0)
 *   logs: |                lines that it writes when it starts
 *   log-every: 1s          writes `log-line` that often
 *   log-line: tick
 *   ready-after: 3s        probes fail before
 *   ready: "false"         probes fail always
 *   healthy-for: 30s       probes fail after
 *   cpu: 250m              what it uses
 *   memory: 64Mi
 *
 * `simulated.skiff.dev/sandbox-error: text` lets the sandbox fail. An image whose name has "does-not-exist" in it cannot
 * be had; every other is there.
 */
import { quantityMilliValue, quantityValue } from "../../../machinery/quantity.ts";
import type { ContainerConfig, PodIdentity } from "../../runtime.ts";

export const ANNOTATION_DOMAIN = "simulated.skiff.dev";

export interface Behaviour {
  readonly startDelayMs: number;
  readonly runForMs: number | undefined;
  readonly exitCode: number;
  readonly exitReason: string | undefined;
  readonly stopDelayMs: number;
  readonly stopExitCode: number;
  readonly logs: readonly string[];
  readonly logEveryMs: number | undefined;
  readonly logLine: string;
  readonly readyAfterMs: number;
  readonly isReady: boolean;
  readonly healthyForMs: number | undefined;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

/** What a hook is told of the container that is about to start. */
export interface SimulatedContainer {
  readonly pod: PodIdentity;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly config: ContainerConfig;
}

/** Changes what annotations say, for tests and programs. */
export type BehaviourHook = (container: SimulatedContainer) => Partial<Behaviour> | undefined;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "1m30s", "250ms" or a bare number of seconds. Undefined for what is none. */
export function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.map(([whole]) => whole).join("") !== text) return undefined;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit as string] ?? 0), 0);
}

type Annotations = Readonly<Record<string, string>>;

const annotated = (annotations: Annotations, container: string, key: string): string | undefined =>
  annotations[`${container}.${ANNOTATION_DOMAIN}/${key}`] ?? annotations[`${ANNOTATION_DOMAIN}/${key}`];

export function behaviourOf(annotations: Annotations, container: string): Behaviour {
  const value = (key: string) => annotated(annotations, container, key);
  const duration = (key: string) => parseDuration(value(key));
  const logs = value("logs");
  return {
    startDelayMs: duration("start-delay") ?? 0,
    runForMs: duration("run-for"),
    exitCode: Number(value("exit-code") ?? 0),
    exitReason: value("exit-reason"),
    stopDelayMs: duration("stop-delay") ?? 0,
    stopExitCode: Number(value("stop-exit-code") ?? 0),
    logs: logs === undefined ? [] : logs.replace(/\n$/, "").split("\n"),
    logEveryMs: duration("log-every"),
    logLine: value("log-line") ?? "tick",
    readyAfterMs: duration("ready-after") ?? 0,
    isReady: value("ready") !== "false",
    healthyForMs: duration("healthy-for"),
    cpuMilli: quantityMilliValue(value("cpu") ?? "0"),
    memoryBytes: quantityValue(value("memory") ?? "0"),
  };
}

/** Whether probes and hooks succeed, so long after the start. */
export function isHealthyAt({ isReady, readyAfterMs, healthyForMs }: Behaviour, ageMs: number): boolean {
  return isReady && ageMs >= readyAfterMs && (healthyForMs === undefined || ageMs < healthyForMs);
}
