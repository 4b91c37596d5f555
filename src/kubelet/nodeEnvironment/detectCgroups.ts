import { readFileSync, statfsSync } from "node:fs";
import type { Clock } from "../../lib/env.ts";
import { parseCgroupMounts } from "./cgroupMounts.ts";
import type { Cgroups } from "./cgroups.ts";
import { cgroupsV1 } from "./cgroupsV1.ts";
import { cgroupsV2 } from "./cgroupsV2.ts";

const CGROUP_ROOT = "/sys/fs/cgroup";
/** Source: linux/magic.h, CGROUP2_SUPER_MAGIC. */
const CGROUP2_MAGIC = 0x63677270;

/** @throws Error when the machine has no control groups. */
export function detectCgroups(clock: Pick<Clock, "sleep">): Cgroups {
  if (statfsSync(CGROUP_ROOT).type === CGROUP2_MAGIC) return cgroupsV2({ root: CGROUP_ROOT, clock });
  const mounts = parseCgroupMounts(readFileSync("/proc/self/mounts", "utf8"));
  const hierarchies = mounts.filter(({ version }) => version === 1);
  if (hierarchies.length === 0) throw new Error(`no control groups are mounted under ${CGROUP_ROOT}`);
  return cgroupsV1({ hierarchies, clock });
}
