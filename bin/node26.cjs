"use strict";
// Runs under any Node from 18 on. Finds the Node.js that skiff itself runs on: the one that runs this file when it is
// new enough, else the one that the platform package carries.
const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");

const NODE_MAJOR_MIN = 24;

function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  for (const from of [path.join(__dirname, ".."), process.cwd()]) {
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

/**
 * Runs `args` under the Node found and waits for it. Ctrl-C reaches the child by itself, as both are in one process
 * group; this process must only outlive it, which is what the handlers are for.
 */
function run(args, options) {
  const node = findNode();
  if (node === undefined) {
    console.error(
      `skiff needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.versions.node} and the package ` +
        `node-${process.platform}-${process.arch} is not installed. Run: npm install`,
    );
    process.exit(1);
  }
  const ignore = () => undefined;
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, ignore);
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH || ""}` };
  const result = spawnSync(node, args, { stdio: "inherit", env, ...options });
  for (const signal of signals) process.off(signal, ignore);
  return result;
}

module.exports = { findNode, run };
