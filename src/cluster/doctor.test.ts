import { describe, expect, test } from "vitest";
import { withSystemDirectories } from "../lib/findProgram.ts";
import { containersImpossible, examine, SYSTEM_COMMANDS } from "./doctor.ts";
import { bringDown, deleteCluster } from "./down.ts";

const ALL = Object.keys(SYSTEM_COMMANDS);
const without = (...missing: string[]) => ALL.filter((command) => !missing.includes(command));

interface Case {
  readonly name: string;
  readonly platform?: string;
  readonly isRoot?: boolean;
  readonly rootCommand?: string;
  readonly hasRootMount?: boolean;
  /** Commands that the machine has. */
  readonly has: readonly string[];
  readonly want: RegExp | undefined;
}

describe("real containers", () => {
  const cases: readonly Case[] = [
    { name: "need nothing more with everything there", has: ALL, want: undefined },
    { name: "need one of crun and runc", has: without("runc"), want: undefined },
    { name: "do without socat and conntrack", has: without("socat", "conntrack"), want: undefined },
    {
      name: "need both nft and conmon, and the sentence has the command for both at once",
      has: without("nft", "conmon"),
      want: /^conmon, nft missing; to install as root: apt-get update && apt-get install -y conmon nftables$/,
    },
    { name: "name both runtimes when neither is there", has: without("crun", "runc"), want: /^crun, runc missing/ },
    { name: "need root", has: ALL, isRoot: false, want: /^real containers need root: sudo npx skiff up$/ },
    {
      name: "need root, and `npm start` installs the rest",
      has: without("ip"),
      isRoot: false,
      rootCommand: "sudo npm start",
      want: /^real containers need root: sudo npm start$/,
    },
    {
      name: "need root and a program",
      has: without("ip"),
      isRoot: false,
      want: /^ip missing; .* install -y iproute2; real containers need root: sudo npx skiff up$/,
    },
    {
      name: "need more than a chroot",
      has: ALL,
      hasRootMount: false,
      want: /^this is a chroot, /,
    },
    { name: "need Linux before anything else", platform: "darwin", has: [], want: /^real containers need Linux$/ },
  ];
  test.each(cases)(
    "$name",
    ({ platform = "linux", isRoot = true, has, want, rootCommand = "sudo npx skiff up", hasRootMount = true }) => {
      const findings = examine({ platform, isRoot, hasRootMount, has: (command) => has.includes(command) });
      const why = containersImpossible(findings, rootCommand);
      if (want === undefined) expect(why).toBeUndefined();
      else expect(why).toMatch(want);
    },
  );
});

test("a PATH without the system's folders gets them, once", () => {
  expect(withSystemDirectories("/usr/bin:/sbin")).toBe("/usr/bin:/sbin:/usr/local/sbin:/usr/sbin");
});

test.each(["..", "../..", "", "a/b"])("no folder outside ours is removed for a cluster called %j", async (name) => {
  await expect(bringDown(name)).rejects.toThrow("is not a cluster name");
  await expect(deleteCluster(name)).rejects.toThrow("is not a cluster name");
});
