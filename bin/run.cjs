"use strict";
// node bin/run.cjs FILE [ARG…]: runs a file of the project under the right Node.
const { runAnyhow } = require("./library.cjs");

runAnyhow(process.argv.slice(2)).then((code) => process.exit(code));
