"use strict";
// A shared library that our Node.js needs and the machine lacks: Node.js from 25 on wants libatomic.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { APT_ENVIRONMENT, debianPackageOf, installCommand, onPath } = require("./debian.cjs");
const { LIBRARIES, findNode, missingLibrary, run } = require("./node26.cjs");
const { attempt, fail, step } = require("./step.cjs");

function failWithout(library, node) {
  if (missingLibrary(node) === undefined) return;
  const command = installCommand([debianPackageOf(library)]);
  fail(`Node.js needs ${library}, which this machine lacks. To install it as root: ${command}`);
}

/** The exit code of a command that could not start at all. */
const NOT_STARTED = 127;

/** Like run, also on a machine whose libraries are not enough for our Node.js. */
async function runAnyhow(args) {
  const code = await run(args);
  const library = code === NOT_STARTED ? missingLibrary(findNode()) : undefined;
  if (library === undefined) return code;
  await unpackLibrary(library);
  failWithout(library, findNode());
  return run(args);
}

/** Fetches the library's Debian package, with an index of our own when there is none, and unpacks it: that needs no root. */
async function unpackLibrary(library) {
  if (!onPath("apt-get")) return;
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "skiff-setup-"));
  for (const directory of ["state/lists/partial", "cache/archives/partial"]) {
    fs.mkdirSync(path.join(scratch, directory), { recursive: true });
  }
  const name = debianPackageOf(library);
  const own = [`Dir::State=${scratch}/state`, `Dir::Cache=${scratch}/cache`, "Dir::State::status=/var/lib/dpkg/status"];
  const options = own.flatMap((option) => ["-o", option]);
  const inScratch = { ...APT_ENVIRONMENT, cwd: scratch };
  const failure = await step(`${name}, which this machine lacks, unpacked beside skiff`, async () => {
    const download = ["download", "-q", name];
    if ((await attempt("apt-get", download, inScratch)) !== undefined) {
      const updated = await attempt("apt-get", [...options, "update", "-q"], inScratch);
      const failed = updated || (await attempt("apt-get", [...options, ...download], inScratch));
      if (failed) return failed;
    }
    const archive = fs.readdirSync(scratch).find((file) => file.endsWith(".deb"));
    return (await attempt("dpkg-deb", ["-x", archive, "unpacked"], inScratch)) || keepLibrary(scratch, library);
  });
  fs.rmSync(scratch, { recursive: true, force: true });
  if (failure !== undefined) console.error(failure);
}

function keepLibrary(scratch, library) {
  const folders = path.join(scratch, "unpacked", "usr", "lib");
  const file = fs
    .readdirSync(folders)
    .map((folder) => path.join(folders, folder, library))
    .find(fs.existsSync);
  if (file === undefined) return `the package does not hold ${library}`;
  fs.mkdirSync(LIBRARIES, { recursive: true });
  fs.copyFileSync(file, path.join(LIBRARIES, library));
  return undefined;
}

module.exports = { failWithout, runAnyhow, unpackLibrary };
