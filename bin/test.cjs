#!/usr/bin/env node
"use strict";
// npm test: installs what is missing, builds, checks types and style, and runs every test. Its last line is
// "N passed, N failed".
const { mkdtempSync, readFileSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { root, installNpmPackages, installSystemPackages, TEST_COMMANDS } = require("./setup.cjs");

installNpmPackages();
installSystemPackages(TEST_COMMANDS);
const { run } = require("./node26.cjs");
const filters = process.argv.slice(2);
const inRoot = { cwd: root };
let checksFailed = 0;

function check(title, args) {
  const ok = run(args, inRoot).status === 0;
  console.log(` ${ok ? "✓" : "✗"} ${title}`);
  if (!ok) checksFailed++;
}

check("build", ["scripts/build.ts"]);
if (filters.length === 0) {
  check("types", ["node_modules/typescript/bin/tsc", "--noEmit"]);
  check("style", ["node_modules/@biomejs/biome/bin/biome", "check", "."]);
}
const scratch = mkdtempSync(path.join(tmpdir(), "skiff-test-report-"));
const report = path.join(scratch, "report.json");
run(
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...filters,
  ],
  inRoot,
);
let passed = 0;
let failed = 1;
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites, success } = JSON.parse(readFileSync(report, "utf8"));
  passed = numPassedTests;
  failed = Math.max(numFailedTests, success ? 0 : Math.max(1, numFailedTestSuites));
} catch {
  console.error("the test runner wrote no report");
}
rmSync(scratch, { recursive: true, force: true });
failed += checksFailed;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
