import { describe, expect, test } from "vitest";
import type { ContainerConfig, ContainerSecurity } from "../../runtime.ts";
import { capabilitiesOf, parseCapabilityMask } from "./capabilities.ts";
import { argumentsOf, type OciSpecInput, ociSpec } from "./ociSpec.ts";
import { signalNumber } from "./signals.ts";

const ALL = parseCapabilityMask("1ffffffffff");
const security: ContainerSecurity = {
  privileged: false,
  readOnlyRootFilesystem: false,
  supplementalGroups: [],
  addCapabilities: [],
  dropCapabilities: [],
  allowPrivilegeEscalation: true,
};

const config: ContainerConfig = {
  sandboxId: "s",
  name: "c",
  attempt: 0,
  imageId: "i",
  imageName: "i",
  command: [],
  args: [],
  env: [],
  mounts: [],
  logPath: "/log",
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: {},
  security,
  labels: {},
  annotations: {},
};

function spec(changes: Partial<ContainerConfig> = {}, input: Partial<OciSpecInput> = {}) {
  return ociSpec({
    config: { ...config, ...changes },
    image: { Entrypoint: ["/run"], Cmd: ["it"], Env: ["A=image", "PATH=/bin"], WorkingDir: "/work" },
    user: { uid: 0, gid: 0, additionalGids: [0], home: "/root" },
    sandbox: {
      hostname: "pod",
      namespaces: { network: "/ns/net", ipc: "/ns/ipc", uts: "/ns/uts" },
      hostPid: false,
      files: { hosts: "/s/hosts", hostname: "/s/hostname", resolvConf: "/s/resolv.conf" },
      sharedMemory: "/s/shm",
    },
    rootPath: "/root",
    cgroupPath: "/skiff/x",
    cgroupVersion: 1,
    available: ALL,
    oomScoreAdjMin: -1000,
    ...input,
  });
}

describe("command and arguments", () => {
  const image = { Entrypoint: ["e"], Cmd: ["c"] };
  const cases = [
    { name: "neither: the image's both", command: [], args: [], want: "e c" },
    { name: "arguments replace the image's", command: [], args: ["a"], want: "e a" },
    { name: "a command replaces both", command: ["x"], args: [], want: "x" },
    { name: "both replace both", command: ["x"], args: ["a"], want: "x a" },
  ];
  test.each(cases)("$name", ({ command, args, want }) =>
    expect(argumentsOf({ command, args }, image).join(" ")).toBe(want),
  );
  test("nothing to run is an error", () => expect(() => argumentsOf(config, {})).toThrow("no command specified"));
});

describe("the specification", () => {
  test("the pod's variables replace the image's in their place", () => {
    expect(spec({ env: [{ name: "A", value: "pod" }] }).process.env).toEqual([
      "PATH=/bin",
      "HOSTNAME=pod",
      "A=pod",
      "HOME=/root",
    ]);
  });

  test("namespaces of the pod are joined, and those of processes and mounts are new", () => {
    expect(spec().linux.namespaces).toEqual([
      { type: "mount" },
      { type: "network", path: "/ns/net" },
      { type: "ipc", path: "/ns/ipc" },
      { type: "uts", path: "/ns/uts" },
      { type: "pid" },
    ]);
  });

  test("the kubelet's hosts file takes the place of the sandbox's, and outer mounts come before inner", () => {
    const mounts = ["/data/inner", "/etc/hosts", "/data"].map((containerPath) => ({
      containerPath,
      hostPath: "/h",
      readOnly: true,
    }));
    const binds = spec({ mounts }).mounts.filter(({ destination }) => !/^\/(proc|dev|sys)/.test(destination));
    expect(binds.map(({ destination, source }) => `${destination}=${source}`)).toEqual([
      "/data=/h",
      "/etc/hostname=/s/hostname",
      "/etc/resolv.conf=/s/resolv.conf",
      "/data/inner=/h",
      "/etc/hosts=/h",
    ]);
  });

  test("propagation of a mount asks for that of the root", () => {
    const mount = { containerPath: "/m", hostPath: "/h", readOnly: false, propagation: "Bidirectional" } as const;
    const { linux, mounts } = spec({ mounts: [mount] });
    expect([linux.rootfsPropagation, mounts.at(-4)?.options]).toEqual(["shared", ["rbind", "rshared", "rw"]]);
  });

  test("limits, and a score that is not ours to lower", () => {
    const resources = { cpuShares: 51, cpuQuotaUs: 5000, memoryLimitBytes: 1000, pidsMax: 7, oomScoreAdj: -997 };
    const { linux, process } = spec({ resources }, { oomScoreAdjMin: 0 });
    expect(linux.resources).toMatchObject({
      cpu: { shares: 51, quota: 5000, period: 100_000 },
      memory: { limit: 1000 },
      pids: { limit: 7 },
    });
    expect(process.oomScoreAdj).toBe(0);
  });

  test("a privileged container sees everything", () => {
    const { linux, process, mounts } = spec({
      security: { ...security, privileged: true, allowPrivilegeEscalation: false },
    });
    expect([linux.maskedPaths, linux.readonlyPaths, process.noNewPrivileges]).toEqual([[], [], false]);
    expect(process.capabilities.effective).toHaveLength(41);
    expect(mounts.find(({ destination }) => destination === "/sys")?.options).toContain("rw");
  });

  test("with one hierarchy a container has its own view of control groups, and runs out of memory as a whole", () => {
    const cgroupsSeen = (privileged: boolean, cgroupVersion: 1 | 2) => {
      const { namespaces, resources } = spec({ security: { ...security, privileged } }, { cgroupVersion }).linux;
      return [namespaces.some(({ type }) => type === "cgroup"), (resources as { unified?: object }).unified];
    };
    expect(cgroupsSeen(false, 2)).toEqual([true, { "memory.oom.group": "1" }]);
    expect(cgroupsSeen(true, 2)).toEqual([false, { "memory.oom.group": "1" }]);
    expect(cgroupsSeen(false, 1)).toEqual([false, undefined]);
  });

  test("no escalation means no new privileges", () => {
    expect(spec({ security: { ...security, allowPrivilegeEscalation: false } }).process.noNewPrivileges).toBe(true);
  });
});

describe("capabilities", () => {
  const short = (changes: Partial<ContainerSecurity>, available = ALL) =>
    capabilitiesOf({ ...security, ...changes }, available).map((name) => name.slice(4));
  test("the usual ones", () => expect(short({})).toHaveLength(14));
  test("added, in any spelling", () =>
    expect(short({ addCapabilities: ["net_admin", "CAP_SYS_TIME"] })).toEqual(
      expect.arrayContaining(["NET_ADMIN", "SYS_TIME"]),
    ));
  test("dropped", () => expect(short({ dropCapabilities: ["CHOWN"] })).not.toContain("CHOWN"));
  test("all dropped but one", () =>
    expect(short({ dropCapabilities: ["ALL"], addCapabilities: ["CHOWN"] })).toEqual(["CHOWN"]));
  test("all added but one", () =>
    expect(short({ addCapabilities: ["ALL"], dropCapabilities: ["SYS_ADMIN"] })).toHaveLength(40));
  test("never more than this process has", () =>
    expect(short({ privileged: true }, new Set(["CAP_KILL"]))).toEqual(["KILL"]));
});

test.each([
  ["SIGTERM", 15],
  ["quit", 3],
  ["9", 9],
  ["SIGRTMIN+3", 37],
  ["SIGRTMAX-1", 63],
  ["nonsense", 15],
])("signal %s is %i", (name, number) => expect(signalNumber(name)).toBe(number));
