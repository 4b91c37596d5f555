"use strict";
// What every step of the set-up needs: its line on the screen, and commands that are run to their end. Like all of bin/
// it runs under any Node from 18 on, before anything else of the project can.
const { spawn } = require("node:child_process");
const os = require("node:os");

const ERROR_LINES_MAX = 6;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Runs one step and prints its line: on a terminal also while it runs. `run` returns why it failed, if it did. */
async function step(title, run) {
  const live = process.stderr.isTTY === true && process.env.TERM !== "dumb";
  const startedMs = Date.now();
  const elapsed = (digits) => ((Date.now() - startedMs) / 1000).toFixed(digits);
  const show = () => process.stderr.write(`\r\x1b[K\x1b[?7l • ${title} … ${elapsed(0)} s\x1b[?7h`);
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

module.exports = { attempt, fail, step };
