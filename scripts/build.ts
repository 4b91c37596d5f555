/** Builds `dist/`: the command, the library, the storage worker and the node agent, each bundled into one file. */
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "tsdown";

const root = join(import.meta.dirname, "..");
process.chdir(root);
await import("./generate.ts");
rmSync("dist", { recursive: true, force: true });
await build({
  entry: {
    skiff: "src/cluster/main.ts",
    index: "src/cluster/index.ts",
    sqliteWorker: "src/storage/engines/sqliteWorker.ts",
  },
  format: "esm",
  platform: "node",
  target: "node24",
  outDir: "dist",
  fixedExtension: false,
  dts: false,
  clean: false,
  logLevel: "warn",
  deps: { neverBundle: ["koffi"] },
});
copyFileSync("src/api/generated/descriptions.json", "dist/descriptions.json");
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" });
