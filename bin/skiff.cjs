#!/usr/bin/env node
"use strict";
const { existsSync } = require("node:fs");
const path = require("node:path");
const { findNode, run } = require("./node26.cjs");

const root = path.join(__dirname, "..");
const bundle = path.join(root, "dist", "skiff.js");
const source = path.join(root, "src", "cluster", "main.ts");
const entry = existsSync(bundle) && process.env.SKIFF_FROM_SOURCE !== "1" ? bundle : source;

// Already under the right Node: no second process.
if (findNode() === process.execPath) {
  import(require("node:url").pathToFileURL(entry).href).catch((error) => {
    console.error(error);
    process.exit(1);
  });
} else {
  const result = run([entry, ...process.argv.slice(2)]);
  process.exit(result.status === null ? 1 : result.status);
}
