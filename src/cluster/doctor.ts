/** What this machine can do for a cluster: each check says what is missing and the one command that mends it. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** Real containers need it. Without any such failure the `oci` runtime is chosen. */
  readonly neededForContainers: boolean;
}

/** Command → Debian package. Kept in step with bin/setup.cjs by a test. */
export const SYSTEM_COMMANDS: Readonly<Record<string, string>> = {
  conmon: "conmon",
  crun: "crun",
  runc: "runc",
  nft: "nftables",
  ip: "iproute2",
  conntrack: "conntrack",
  socat: "socat",
};

/** conmon watches files with inotify. Below this many instances a full node of 110 pods runs out. */
export const INOTIFY_INSTANCES_MIN = 512;
export const INOTIFY_INSTANCES_FILE = "/proc/sys/fs/inotify/max_user_instances";

const DIRECTORIES_EXTRA = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Full path of a program, also where a user's PATH lacks the system directories. */
export function findProgram(name: string, path: string = process.env.PATH ?? ""): string | undefined {
  for (const directory of [...path.split(delimiter), ...DIRECTORIES_EXTRA]) {
    const candidate = join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

export const installCommand = (packages: readonly string[]): string =>
  `${process.getuid?.() === 0 ? "" : "sudo "}apt-get install -y ${packages.join(" ")}`;

/** crun and runc stand in for each other; everything else is needed as it is. */
export function examine(): Finding[] {
  const missing = Object.keys(SYSTEM_COMMANDS).filter((command) => findProgram(command) === undefined);
  const oci = ["crun", "runc"].filter((command) => !missing.includes(command));
  const isRoot = process.getuid?.() === 0;
  return [
    finding("linux", process.platform === "linux", process.platform, "real containers need Linux"),
    finding("root", isRoot, isRoot ? "yes" : "no", "real containers need root: run skiff with sudo"),
    finding("oci runtime", oci.length > 0, oci.join(", "), `install one: ${installCommand(["crun"])}`),
    ...missing
      .filter((command) => command !== "crun" && command !== "runc")
      .map((command) =>
        finding(command, false, "", `install it: ${installCommand([SYSTEM_COMMANDS[command] as string])}`),
      ),
    finding("cgroups", existsSync("/sys/fs/cgroup"), "mounted", "mount cgroups at /sys/fs/cgroup"),
    inotify(),
  ];
}

const finding = (name: string, ok: boolean, good: string, remedy: string, neededForContainers = true): Finding => ({
  name,
  ok,
  detail: ok ? good : remedy,
  neededForContainers,
});

function inotify(): Finding {
  if (!existsSync(INOTIFY_INSTANCES_FILE)) return finding("inotify", false, "", "the kernel lacks inotify");
  const instances = Number(readFileSync(INOTIFY_INSTANCES_FILE, "utf8"));
  return finding(
    "inotify",
    instances >= INOTIFY_INSTANCES_MIN,
    `${instances} instances`,
    `only ${instances} instances: sysctl fs.inotify.max_user_instances=${INOTIFY_INSTANCES_MIN} (skiff up as root raises it)`,
    false,
  );
}

/** Why there can be no real containers here, as one sentence with the remedy; undefined when there can. */
export function containersImpossible(findings: readonly Finding[] = examine()): string | undefined {
  const failed = findings.filter(({ ok, neededForContainers }) => !ok && neededForContainers);
  return failed.length === 0 ? undefined : failed.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
}
