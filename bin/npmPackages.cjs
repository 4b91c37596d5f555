"use strict";
// The npm packages that the lock file names, installed where they are missing.
const fs = require("node:fs");
const path = require("node:path");
const { environmentFor, findNode, root } = require("./node26.cjs");
const { attempt, fail, step } = require("./step.cjs");

/**
 * npm writes the lock of what it installed; a project lock that differs means that something is missing. Optional packages
 * count when they are those for this machine.
 */
function npmPackagesAreThere() {
  const installed = path.join(root, "node_modules", ".package-lock.json");
  if (!fs.existsSync(installed)) return false;
  const wanted = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(fs.readFileSync(installed, "utf8")).packages;
  const isWanted = ([name, entry]) => name !== "" && (!entry.optional || isForThisMachine(entry));
  return Object.entries(wanted).every((one) => !isWanted(one) || present[one[0]]?.version === one[1].version);
}

function isForThisMachine({ os: systems, cpu, libc }) {
  if (systems === undefined) return false;
  const isGlibc = process.platform === "linux" && process.report.getReport().header.glibcVersionRuntime !== undefined;
  const suits = (list, mine) => list === undefined || [list].flat().includes(mine);
  return suits(systems, process.platform) && suits(cpu, process.arch) && suits(libc, isGlibc ? "glibc" : "musl");
}

/** Without a network npm tries for up to an hour, package by package. One question tells it sooner. */
const REGISTRY_ANSWERS_WITHIN_MS = 20_000;

async function installNpmPackages() {
  if (npmPackagesAreThere()) return;
  const failure = await step("npm packages installed", async () => {
    const question = ["view", "picocolors", "version", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
    const unreachable = await npm(process.execPath, question, { timeout: REGISTRY_ANSWERS_WITHIN_MS });
    const failed = await npm(process.execPath, [...CLEAN_INSTALL, unreachable ? "--offline" : "--prefer-offline"]);
    return (
      failed && [unreachable && `npm's registry cannot be reached\n${unreachable}`, failed].filter(Boolean).join("\n")
    );
  });
  if (failure !== undefined) fail(`the npm packages could not be installed:\n${failure}\nTry it yourself with: npm ci`);
}

/** npm leaves out optional packages that want a newer Node than runs it. By now there is one. */
async function completeNpmPackages() {
  const node = findNode();
  if (node === undefined || npmPackagesAreThere()) return;
  const title = "npm packages that want a newer Node.js installed";
  const failure = await step(title, () => npm(node, [...CLEAN_INSTALL, "--prefer-offline"]));
  if (failure !== undefined) fail(failure);
}

const CLEAN_INSTALL = ["ci", "--include=dev", "--include=optional"];

/** The npm that runs us, by a Node that we name: the PATH of an npm script begins with the Node that is being installed. */
function npm(node, args, options) {
  const program = process.env.npm_execpath || "";
  const [command, ...first] = program.endsWith("npm-cli.js") ? [node, program] : ["npm"];
  const env = node === process.execPath ? process.env : environmentFor(node);
  const quietly = [...first, ...args, "--loglevel=error"];
  return attempt(command, quietly, { cwd: root, env, endBy: "SIGKILL", ...options });
}

module.exports = { completeNpmPackages, installNpmPackages };
