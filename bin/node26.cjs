"use strict";
// Runs under any Node from 18 on. Finds the Node.js that skiff itself runs on: the one that runs this file when it is
// new enough, else the one that the platform package carries.
const { spawn, spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const NODE_MAJOR_MIN = 24;
const root = path.join(__dirname, "..");
/** Shared libraries that the machine lacks and that could not be installed on it: bin/library.cjs puts them here. */
const LIBRARIES = path.join(root, ".libraries");
const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  for (const from of [root, process.cwd()]) {
    try {
      const manifest = require.resolve(`${name}/package.json`, { paths: [from] });
      const binary = path.join(path.dirname(manifest), "bin", "node");
      if (existsSync(binary)) return binary;
    } catch {
      // Not installed there; the next place may have it.
    }
  }
  return undefined;
}

const joined = (...directories) => directories.filter(Boolean).join(path.delimiter);

function environmentFor(node) {
  const env = { ...process.env, PATH: joined(path.dirname(node), process.env.PATH) };
  if (existsSync(LIBRARIES)) env.LD_LIBRARY_PATH = joined(LIBRARIES, process.env.LD_LIBRARY_PATH);
  return env;
}

/** The shared library without which `node` cannot start: Node.js from 25 on needs libatomic, which a small Debian lacks. */
function missingLibrary(node) {
  const { status, stderr } = spawnSync(node, ["--version"], { env: environmentFor(node), encoding: "utf8" });
  if (status === 0) return undefined;
  const name = /\blib[\w+.-]+\.so[\w.]*/.exec(stderr || "");
  return name ? name[0] : undefined;
}

function exitWithoutNode() {
  console.error(
    `skiff: Node.js ${NODE_MAJOR_MIN} or newer is needed; this is ${process.versions.node}, and the package ` +
      `node-${process.platform}-${process.arch}, which would bring it, is not installed. Run: npm install`,
  );
  process.exit(1);
}

/**
 * Runs `args` under the Node found, to its end. Signals go on to it: Ctrl-C reaches it twice then, by the terminal too,
 * which does no harm.
 * @returns its exit code; 128 + n when signal n ended it.
 */
function run(args, options) {
  const node = findNode() || exitWithoutNode();
  return new Promise((resolve) => {
    const child = spawn(node, args, { stdio: "inherit", env: environmentFor(node), ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
    child.once("error", (error) => {
      console.error(`skiff: ${node} cannot be run: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code, signal) => {
      for (const one of FORWARDED_SIGNALS) process.off(one, forward);
      resolve(signal === null ? code : 128 + os.constants.signals[signal]);
    });
  });
}

module.exports = { LIBRARIES, environmentFor, findNode, missingLibrary, root, run };
