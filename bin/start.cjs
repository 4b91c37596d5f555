#!/usr/bin/env node
"use strict";
// npm start: from a fresh checkout to a running cluster with the sample on it, in the foreground.
const { existsSync, readdirSync, statSync } = require("node:fs");
const path = require("node:path");
const { root, step, fail, installNpmPackages, installSystemPackages } = require("./setup.cjs");

function newestMtimeMs(directory) {
  return readdirSync(directory, { withFileTypes: true }).reduce((newest, entry) => {
    const full = path.join(directory, entry.name);
    if (entry.name === "generated") return newest;
    return Math.max(newest, entry.isDirectory() ? newestMtimeMs(full) : statSync(full).mtimeMs);
  }, 0);
}

function isBuilt() {
  const bundle = path.join(root, "dist", "skiff.js");
  if (!existsSync(bundle)) return false;
  const sources = ["src", "sample", "scripts"].map((name) => newestMtimeMs(path.join(root, name)));
  return statSync(bundle).mtimeMs > Math.max(...sources);
}

installNpmPackages();
installSystemPackages();
const { run } = require("./node26.cjs");
if (!isBuilt()) {
  step("built", () => {
    const built = run([path.join(root, "scripts", "build.ts")], { cwd: root });
    if (built.status !== 0) fail("the build failed");
  });
}
const result = run([path.join(root, "dist", "skiff.js"), "up", "--foreground", "--sample", ...process.argv.slice(2)]);
process.exit(result.status === null ? 1 : result.status);
