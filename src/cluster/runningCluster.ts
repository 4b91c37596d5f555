/** Whether a cluster runs, as its processes are written down. */
import { clusterPaths } from "./paths.ts";
import { type ProcessRecord, readProcessRecord } from "./processRecord.ts";

/** Undefined also in the moment between the end of one and the start of the next. */
export const controlPlaneOf = (name: string): ProcessRecord | undefined =>
  readProcessRecord(clusterPaths(name).controlPlaneProcess);

/** Its control plane runs, or has ended and is about to be started again. */
export const isRunning = (name: string): boolean =>
  controlPlaneOf(name) !== undefined || readProcessRecord(clusterPaths(name).supervisorProcess) !== undefined;
