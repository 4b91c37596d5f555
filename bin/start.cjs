"use strict";
// npm start: from a fresh checkout to a running cluster with the sample on it, in the foreground.
const path = require("node:path");
const { root, run } = require("./node26.cjs");
const { prepareCheckout } = require("./checkout.cjs");

async function main() {
  await prepareCheckout();
  const bundle = path.join(root, "dist", "skiff.js");
  process.exit(await run([bundle, "up", "--foreground", "--sample", ...process.argv.slice(2)]));
}

void main();
