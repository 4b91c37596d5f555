/** What this machine can do for a cluster: each check says what is missing and the one command that mends it. */
import { existsSync, readFileSync } from "node:fs";
import { findProgram } from "../lib/findProgram.ts";

export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** Real containers need it. Without any such failure the `oci` runtime is chosen. */
  readonly neededForContainers: boolean;
}

/** Command → Debian package. Kept in step with bin/systemPackages.cjs by a test. */
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

/** Real containers do without them, but for stale UDP flows and old port-forward programs. */
const WELCOME_COMMANDS = ["conntrack", "socat"];

export const installCommand = (packages: readonly string[]): string =>
  `apt-get update && apt-get install -y ${packages.join(" ")}`;

export interface Machine {
  readonly platform: string;
  readonly isRoot: boolean;
  /** In a chroot nothing is mounted at "/", and no mount namespace can be kept. */
  readonly hasRootMount: boolean;
  readonly has: (command: string) => boolean;
}

/** The fifth field is where. Source: proc_pid_mountinfo(5). */
function isMounted(folder: string): boolean {
  const table = "/proc/self/mountinfo";
  return (
    existsSync(table) &&
    readFileSync(table, "utf8")
      .split("\n")
      .some((line) => line.split(" ")[4] === folder)
  );
}

const thisMachine = (): Machine => ({
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  hasRootMount: isMounted("/"),
  has: (command) => findProgram(command) !== undefined,
});

export function examine(machine: Machine = thisMachine()): Finding[] {
  if (machine.platform !== "linux") return [finding("system", false, "", "real containers need Linux")];
  return [
    finding("system", true, "Linux", ""),
    finding("root", machine.isRoot, "yes", "real containers need root"),
    programs(machine),
    ...WELCOME_COMMANDS.filter((command) => !machine.has(command)).map((command) =>
      finding(
        command,
        false,
        "",
        `to install it as root: ${installCommand([SYSTEM_COMMANDS[command] as string])}`,
        false,
      ),
    ),
    finding(
      "root folder",
      machine.hasRootMount,
      "a mount of its own",
      "this is a chroot, in which no mount namespace can be made",
    ),
    finding("cgroups", existsSync("/sys/fs/cgroup"), "mounted", "mount cgroups at /sys/fs/cgroup"),
    inotify(),
  ];
}

/** crun and runc stand in for each other; every other one is needed as it is. */
function programs({ has }: Machine): Finding {
  const commands = Object.keys(SYSTEM_COMMANDS).filter((command) => !WELCOME_COMMANDS.includes(command));
  const [present, missing] = [commands.filter(has), commands.filter((command) => !has(command))];
  const standsIn = (command: string) => (command === "crun" && has("runc")) || (command === "runc" && has("crun"));
  const packages = Object.entries(SYSTEM_COMMANDS).flatMap(([command, name]) => (has(command) ? [] : name));
  const remedy = `${missing.join(", ")} missing; to install as root: ${installCommand(packages)}`;
  return finding("programs", missing.every(standsIn), present.join(", "), remedy);
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

/**
 * Why there can be no real containers here, as one sentence with the remedy; undefined when there can. As root
 * `npm start` installs programs by itself.
 */
export function containersImpossible(
  findings: readonly Finding[] = examine(),
  rootCommand: string = asRoot(),
): string | undefined {
  const failed = findings.filter(({ ok, neededForContainers }) => !ok && neededForContainers);
  const needsRoot = failed.some(({ name }) => name === "root");
  const installs = needsRoot && rootCommand.includes(NPM_START);
  const others = failed.filter(({ name }) => name !== "root" && !(installs && name === "programs"));
  const root = needsRoot ? [`real containers need root: ${rootCommand}`] : [];
  return failed.length === 0 ? undefined : [...others.map(({ detail }) => detail), ...root].join("; ");
}

const NPM_START = "npm start";

/** What to type for a cluster of root's. */
function asRoot(): string {
  const command = process.env.npm_lifecycle_event === "start" ? NPM_START : "npx skiff up";
  return findProgram("sudo") === undefined ? `su -c '${command}'` : `sudo ${command}`;
}
