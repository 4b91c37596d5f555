#!/usr/bin/env node
"use strict";
// node bin/run.cjs FILE [ARG…]: runs a file of the project under the right Node.
const { run } = require("./node26.cjs");
const result = run(process.argv.slice(2));
process.exit(result.status === null ? 1 : result.status);
