"use strict";
// What a fresh machine lacks, installed: npm packages always, system packages where we may (root on a Debian-like
// system). Runs under any Node from 18 on, before anything else of the project can.
const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");

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
const PATH_EXTRA = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

function step(title, run) {
  const startedMs = Date.now();
  const result = run();
  console.log(` ✓ ${title} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  return result;
}

function fail(message) {
  console.error(`skiff: ${message}`);
  process.exit(1);
}

function onPath(command) {
  return [...(process.env.PATH || "").split(path.delimiter), ...PATH_EXTRA].some((directory) =>
    existsSync(path.join(directory, command)),
  );
}

/** npm writes the lock of what it installed; a different project lock means that something is missing. */
function npmPackagesAreThere() {
  const installed = path.join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(installed, "utf8")).packages;
  return Object.entries(wanted).every(
    ([name, entry]) => name === "" || entry.optional || present[name]?.version === entry.version,
  );
}

function installNpmPackages() {
  if (npmPackagesAreThere()) return;
  step("npm packages installed", () => {
    const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      encoding: "utf8",
    });
    if (npm.status !== 0) {
      fail(`the npm packages could not be installed:\n${npm.stderr || npm.error}\nRun: npm ci`);
    }
  });
}

const isRoot = () => typeof process.getuid === "function" && process.getuid() === 0;

/** What tests run in containers. */
const TEST_COMMANDS = { busybox: "busybox-static" };

/** @returns the commands that are still missing, after trying to install them. */
function installSystemPackages(more = {}) {
  const commands = { ...SYSTEM_COMMANDS, ...more };
  const missing = () => Object.keys(commands).filter((command) => !onPath(command));
  if (process.platform !== "linux" || missing().length === 0) return missing();
  const packages = [...new Set(missing().map((command) => commands[command]))];
  if (!isRoot() || !onPath("apt-get")) {
    console.log(
      ` ! missing for real containers: ${packages.join(", ")}. Containers will be simulated. ` +
        `To install them: sudo apt-get update && sudo apt-get install -y ${packages.join(" ")}`,
    );
    return missing();
  }
  step(`system packages installed: ${packages.join(", ")}`, () => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-q"], { env, encoding: "utf8" });
    const apt = spawnSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], {
      env,
      encoding: "utf8",
    });
    if (apt.status !== 0) {
      console.log(` ! apt-get could not install ${packages.join(", ")}:\n${(apt.stderr || "").trim()}`);
    }
  });
  return missing();
}

module.exports = { root, step, fail, installNpmPackages, installSystemPackages, isRoot, TEST_COMMANDS };
