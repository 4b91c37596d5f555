import { readFileSync, statfsSync } from "node:fs";
import type { Clock } from "../../lib/env.ts";
import type { Cgroups } from "./cgroups.ts";
import { cgroupsV1 } from "./cgroupsV1.ts";
import { cgroupsV2 } from "./cgroupsV2.ts";

/** Where the kernel offers control groups. */
export interface CgroupMount {
  readonly directory: string;
  readonly version: 1 | 2;
  /** Of version 1: what the hierarchy controls, such as "memory", or "name=systemd". */
  readonly controllers: readonly string[];
}

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

/** Of /proc/mounts. */
export function parseCgroupMounts(mounts: string): readonly CgroupMount[] {
  return mounts.split("\n").flatMap((line): CgroupMount[] => {
    const [, directory = "", type, options = ""] = line.split(" ");
    if (type === "cgroup2") return [{ directory, version: 2, controllers: [] }];
    if (type !== "cgroup") return [];
    const general = new Set(["rw", "ro", "relatime", "nosuid", "nodev", "noexec", "noatime", "xattr"]);
    return [{ directory, version: 1, controllers: options.split(",").filter((option) => !general.has(option)) }];
  });
}
