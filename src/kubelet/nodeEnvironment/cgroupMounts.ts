/** Where the kernel offers control groups. */
export interface CgroupMount {
  readonly directory: string;
  readonly version: 1 | 2;
  /** Of version 1: what the hierarchy controls, such as "memory", or "name=systemd". */
  readonly controllers: readonly string[];
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
