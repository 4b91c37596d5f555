"use strict";
// How Debian-like systems name and install things.
const fs = require("node:fs");
const path = require("node:path");

/** A plain `su` leaves root without them. */
const PATH_EXTRA = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

function onPath(command) {
  return [...(process.env.PATH || "").split(path.delimiter), ...PATH_EXTRA].some((directory) =>
    fs.existsSync(path.join(directory, command)),
  );
}

/** apt-get never asks. */
const APT_ENVIRONMENT = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };

const installCommand = (packages) => `apt-get update && apt-get install -y ${packages.join(" ")}`;

/** libatomic.so.1 → libatomic1 */
const debianPackageOf = (library) => library.replace(/\.so\.?/, "");

module.exports = { APT_ENVIRONMENT, debianPackageOf, installCommand, onPath };
