"use strict";
// Makes a checkout fit to run: packages installed, bundle built and newer than the source.
const fs = require("node:fs");
const path = require("node:path");
const { root, run } = require("./node26.cjs");
const { completeNpmPackages, installNpmPackages } = require("./npmPackages.cjs");
const { fail, step } = require("./step.cjs");
const { installSystemPackages } = require("./systemPackages.cjs");

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

/** The bundle is made anew when a source is newer. */
async function prepareCheckout() {
  await installNpmPackages();
  await installSystemPackages();
  await completeNpmPackages();
  if (isBuilt()) return;
  const failure = await step("built", async () => {
    const code = await run([path.join(root, "scripts", "build.ts")], { cwd: root });
    return code === 0 ? undefined : `exit code ${code}`;
  });
  if (failure !== undefined) fail(`the build failed (${failure})`);
}

module.exports = { prepareCheckout };
