"use strict";
// What a fresh machine lacks, installed: npm packages always, system packages where we may (root on a Debian-like
// system). Runs under any Node from 18 on, before anything else of the project can.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { LIBRARIES, findNode, missingLibrary, root, run } = require("./node26.cjs");

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
const PATH_EXTRA = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
const ERROR_LINES_MAX = 6;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Runs one step and prints its line: on a terminal also while it runs. `run` returns why it failed, if it did. */
async function step(title, run) {
  const live = process.stderr.isTTY === true;
  const startedMs = Date.now();
  const elapsed = (digits) => ((Date.now() - startedMs) / 1000).toFixed(digits);
  const show = () => process.stderr.write(`\r\x1b[K • ${title} … ${elapsed(0)} s`);
  const showing = live ? setInterval(show, 1000) : undefined;
  if (live) show();
  const failure = await run();
  clearInterval(showing);
  process.stderr.write(`${live ? "\r\x1b[K" : ""} ${failure === undefined ? "✓" : "✗"} ${title} (${elapsed(1)} s)\n`);
  return failure;
}

function fail(message) {
  console.error(`skiff: ${message}`);
  process.exit(1);
}

const isRoot = () => typeof process.getuid === "function" && process.getuid() === 0;

function onPath(command) {
  return [...(process.env.PATH || "").split(path.delimiter), ...PATH_EXTRA].some((directory) =>
    fs.existsSync(path.join(directory, command)),
  );
}

/**
 * Runs a command, and ends it when we are ended: npm, interrupted by itself, goes on trying.
 * @returns the first lines of what it complained about, or undefined when it did well.
 */
function attempt(command, args, { endBy = "SIGTERM", ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], killSignal: endBy, ...options });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
    const end = (signal) => {
      child.kill(endBy);
      process.exit(128 + os.constants.signals[signal]);
    };
    for (const signal of SIGNALS) process.once(signal, end);
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      for (const one of SIGNALS) process.off(one, end);
      const lines = (said.stderr.trim() || said.stdout.trim() || `it ended by ${signal || `exit code ${code}`}`).split(
        "\n",
      );
      const telling = lines.filter((line) => !/^npm error\s*$/.test(line)).slice(0, ERROR_LINES_MAX);
      resolve(code === 0 ? undefined : telling.join("\n"));
    });
  });
}

/** npm writes the lock of what it installed; a different project lock means that something is missing. */
function npmPackagesAreThere() {
  const installed = path.join(root, "node_modules", ".package-lock.json");
  if (!fs.existsSync(installed)) return false;
  const wanted = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(fs.readFileSync(installed, "utf8")).packages;
  const isMine = (name) => name.endsWith(`-${process.platform}-${process.arch}`);
  return Object.entries(wanted).every(
    ([name, entry]) => name === "" || (entry.optional && !isMine(name)) || present[name]?.version === entry.version,
  );
}

/** Without a network npm tries for up to an hour, package by package. One question tells it sooner. */
const REGISTRY_ANSWERS_WITHIN_MS = 20_000;

async function installNpmPackages() {
  if (npmPackagesAreThere()) return;
  // By the Node and the npm that run us: the PATH of an npm script begins with the Node that is being installed.
  const path = process.env.npm_execpath || "";
  const [command, ...first] = path.endsWith("npm-cli.js") ? [process.execPath, path] : ["npm"];
  const npm = (args, options) =>
    attempt(command, [...first, ...args, "--loglevel=error"], { cwd: root, endBy: "SIGKILL", ...options });
  const failure = await step("npm packages installed", async () => {
    const question = ["view", "picocolors", "version", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
    const unreachable = await npm(question, { timeout: REGISTRY_ANSWERS_WITHIN_MS });
    const from = unreachable === undefined ? "--prefer-offline" : "--offline";
    const failed = await npm(["ci", "--include=dev", "--include=optional", from]);
    return (
      failed && [unreachable && "npm's registry cannot be reached", unreachable, failed].filter(Boolean).join("\n")
    );
  });
  if (failure !== undefined) fail(`the npm packages could not be installed:\n${failure}\nTry it yourself with: npm ci`);
}

const APT_ENVIRONMENT = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };

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

function failWithout(library, node) {
  if (missingLibrary(node) === undefined) return;
  const command = installCommand([debianPackageOf(library)]);
  fail(`Node.js needs ${library}, which this machine lacks. To install it as root: ${command}`);
}

/** The exit code of a command that could not start at all. */
const NOT_STARTED = 127;

/** Like run, also on a machine whose libraries are not enough for our Node.js. */
async function runAnyhow(args) {
  const code = await run(args);
  const library = code === NOT_STARTED ? missingLibrary(findNode()) : undefined;
  if (library === undefined) return code;
  await unpackLibrary(library);
  failWithout(library, findNode());
  return run(args);
}

const installCommand = (packages) => `apt-get update && apt-get install -y ${packages.join(" ")}`;

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

/** libatomic.so.1 → libatomic1 */
const debianPackageOf = (library) => library.replace(/\.so\.?/, "");

/** Fetches the library's Debian package, with an index of our own when there is none, and unpacks it: that needs no root. */
async function unpackLibrary(library) {
  if (!onPath("apt-get")) return;
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "skiff-setup-"));
  for (const directory of ["state/lists/partial", "cache/archives/partial"]) {
    fs.mkdirSync(path.join(scratch, directory), { recursive: true });
  }
  const name = debianPackageOf(library);
  const own = [`Dir::State=${scratch}/state`, `Dir::Cache=${scratch}/cache`, "Dir::State::status=/var/lib/dpkg/status"];
  const options = own.flatMap((option) => ["-o", option]);
  const inScratch = { ...APT_ENVIRONMENT, cwd: scratch };
  const failure = await step(`${name}, which this machine lacks, unpacked into node_modules`, async () => {
    const download = ["download", "-q", name];
    if ((await attempt("apt-get", download, inScratch)) !== undefined) {
      const updated = await attempt("apt-get", [...options, "update", "-q"], inScratch);
      const failed = updated || (await attempt("apt-get", [...options, ...download], inScratch));
      if (failed) return failed;
    }
    const archive = fs.readdirSync(scratch).find((file) => file.endsWith(".deb"));
    return (await attempt("dpkg-deb", ["-x", archive, "unpacked"], inScratch)) || keepLibrary(scratch, library);
  });
  fs.rmSync(scratch, { recursive: true, force: true });
  if (failure !== undefined) console.error(failure);
}

function keepLibrary(scratch, library) {
  const folders = path.join(scratch, "unpacked", "usr", "lib");
  const file = fs
    .readdirSync(folders)
    .map((folder) => path.join(folders, folder, library))
    .find(fs.existsSync);
  if (file === undefined) return `the package does not hold ${library}`;
  fs.mkdirSync(LIBRARIES, { recursive: true });
  fs.copyFileSync(file, path.join(LIBRARIES, library));
  return undefined;
}

function newestMtimeMs(directory) {
  return fs.readdirSync(directory, { withFileTypes: true }).reduce((newest, entry) => {
    const full = path.join(directory, entry.name);
    if (entry.name === "generated") return newest;
    return Math.max(newest, entry.isDirectory() ? newestMtimeMs(full) : fs.statSync(full).mtimeMs);
  }, 0);
}

function isBuilt() {
  const bundle = path.join(root, "dist", "skiff.js");
  if (!fs.existsSync(bundle)) return false;
  const sources = ["src", "sample", "scripts"].map((name) => newestMtimeMs(path.join(root, name)));
  return fs.statSync(bundle).mtimeMs > Math.max(...sources);
}

/** Makes a checkout fit to run: packages installed, bundle built and newer than the source. */
async function prepareCheckout() {
  await installNpmPackages();
  await installSystemPackages();
  if (isBuilt()) return;
  const failure = await step("built", async () => {
    const code = await run([path.join(root, "scripts", "build.ts")], { cwd: root });
    return code === 0 ? undefined : `exit code ${code}`;
  });
  if (failure !== undefined) fail(`the build failed (${failure})`);
}

module.exports = { fail, installNpmPackages, installSystemPackages, isRoot, prepareCheckout, runAnyhow, TEST_COMMANDS };
