"use strict";
// System packages that a fresh machine lacks, installed where we may: as root on a Debian-like system.
const { APT_ENVIRONMENT, debianPackageOf, installCommand, onPath } = require("./debian.cjs");
const { findNode, missingLibrary } = require("./node26.cjs");
const { failWithout, unpackLibrary } = require("./library.cjs");
const { attempt, step } = require("./step.cjs");

/** Command that must be on the PATH → Debian package that brings it. */
const SYSTEM_COMMANDS = {
  conmon: "conmon",
  crun: "crun",
  runc: "runc",
  nft: "nftables",
  ip: "iproute2",
  conntrack: "conntrack",
  socat: "socat",
};
/** What tests run in containers, and look at the machine with. */
const TEST_COMMANDS = { busybox: "busybox-static", ps: "procps" };

const isRoot = () => typeof process.getuid === "function" && process.getuid() === 0;

/**
 * Installs what real containers need, `more` of the same form, and what our Node.js needs. What it could not install, it
 * says; without root, what real containers need is for `skiff up` to say.
 */
async function installSystemPackages(more = {}) {
  if (process.platform !== "linux") return;
  const node = findNode();
  const library = node === undefined ? undefined : missingLibrary(node);
  const commands = Object.entries({ ...SYSTEM_COMMANDS, ...more });
  const packages = commands.filter(([command]) => !onPath(command)).map(([, name]) => name);
  if (library !== undefined) packages.push(debianPackageOf(library));
  if (packages.length === 0) return;
  if (isRoot() && onPath("apt-get")) await installByApt(packages);
  else if (library !== undefined) await unpackLibrary(library);
  if (library !== undefined) failWithout(library, node);
}

async function installByApt(packages) {
  const failure = await step(`system packages installed: ${packages.join(", ")}`, async () => {
    // An index that cannot be updated may still be good enough.
    const update = await attempt("apt-get", ["update", "-q"], APT_ENVIRONMENT);
    const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
    const install = await attempt("apt-get", args, APT_ENVIRONMENT);
    return install === undefined ? undefined : [update, install].filter(Boolean).join("\n");
  });
  if (failure !== undefined) console.error(`${failure}\n ! to try it yourself: ${installCommand(packages)}`);
}

module.exports = { installSystemPackages, isRoot, TEST_COMMANDS };
