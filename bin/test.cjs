"use strict";
// npm test [FILTER…]: installs what is missing, builds, checks types and style, and runs every test. Its last line is
// "N passed, N failed".
const { mkdtempSync, readFileSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { root, run } = require("./node26.cjs");
const { completeNpmPackages, installNpmPackages } = require("./npmPackages.cjs");
const { installSystemPackages, isRoot, TEST_COMMANDS } = require("./systemPackages.cjs");

const inRoot = { cwd: root };

async function check(title, args) {
  const ok = (await run(args, inRoot)) === 0;
  console.log(` ${ok ? "✓" : "✗"} ${title}`);
  return ok ? 0 : 1;
}

/** @returns how many of the build and, without a filter, the checks of types and style failed. */
async function runChecks(filters) {
  let failed = await check("build", ["scripts/build.ts"]);
  if (filters.length > 0) return failed;
  failed += await check("types", ["node_modules/typescript/bin/tsc", "--noEmit"]);
  failed += await check("style", ["node_modules/@biomejs/biome/bin/biome", "check", "."]);
  return failed;
}

async function runTests(filters) {
  const scratch = mkdtempSync(path.join(tmpdir(), "skiff-test-report-"));
  const report = path.join(scratch, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  await run(["node_modules/vitest/vitest.mjs", "run", ...reporters, ...filters], inRoot);
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, success } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    // A file that cannot be read has no tests that could fail.
    const failed = success ? 0 : numFailedTests || numFailedTestSuites || 1;
    return { passed: numPassedTests, failed, notRun: numPendingTests };
  } catch {
    console.error("the test runner wrote no report");
    return { passed: 0, failed: 1, notRun: 0 };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function main() {
  await installNpmPackages();
  await installSystemPackages(TEST_COMMANDS);
  await completeNpmPackages();
  const filters = process.argv.slice(2);
  const checksFailed = await runChecks(filters);
  const { passed, failed, notRun } = await runTests(filters);
  if (notRun > 0) console.log(`${notRun} not run`);
  if (failed > 0 && !isRoot())
    console.log("Tests of real containers need root; SKIFF_TEST_UNPRIVILEGED=1 leaves them out.");
  console.log(`${passed} passed, ${failed + checksFailed} failed`);
  process.exit(failed + checksFailed === 0 && passed > 0 ? 0 : 1);
}

void main();
