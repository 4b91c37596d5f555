/** Who starts, stops or deletes a cluster does it alone. */
import { withLock } from "./lock.ts";
import { clusterPaths } from "./paths.ts";
import { realClock } from "./realEnv.ts";

/** Longer than any of them should take. */
const BUSY_MAX_MS = 60_000;

export const withClusterLock = <T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
  withLock(
    `cluster ${clusterPaths(name).data}`,
    {
      clock: realClock,
      withinMs: BUSY_MAX_MS,
      ...(signal !== undefined && { signal }),
      busy: `another skiff command has been busy with cluster "${name}" for a minute; try again when it has ended`,
    },
    work,
  );
