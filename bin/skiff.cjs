#!/bin/sh
":" //; exec "${npm_node_execpath:-node}" "$0" "$@"
// To the shell the line above means: run this file with the Node.js that runs npm. The first `node` on npx's PATH is the
// platform package's, and a machine without libatomic cannot start that one. To Node.js it is a string and a comment.
"use strict";
const { existsSync } = require("node:fs");
const path = require("node:path");
const { findNode, root } = require("./node26.cjs");

const bundle = path.join(root, "dist", "skiff.js");
const source = path.join(root, "src", "cluster", "main.ts");

async function main() {
  const fromSource = process.env.SKIFF_FROM_SOURCE === "1";
  if (!fromSource && !existsSync(bundle)) await require("./checkout.cjs").prepareCheckout();
  const entry = fromSource ? source : bundle;
  // Already under the right Node: no second process.
  if (findNode() === process.execPath) await import(require("node:url").pathToFileURL(entry).href);
  else process.exit(await require("./library.cjs").runAnyhow([entry, ...process.argv.slice(2)]));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
