/**
 * Builds `dist/`: the command, the library and the storage worker, with everything that they import, so that the package
 * needs nothing else but its platform packages. Their types lie beside them, in `dist/types/`.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Rolldown } from "tsdown";

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
  deps: { onlyBundle: false },
  outputOptions: { comments: false },
  plugins: [asciiOnly(), licences()],
});
copyFileSync("src/api/generated/descriptions.json", "dist/descriptions.json");
const types = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"];
process.exitCode = spawnSync(process.execPath, types, { stdio: "inherit" }).status ?? 1;

/** V8 keeps a source with a single character beyond Latin-1 at two bytes for each: 8 MB more in every process of ours. */
function asciiOnly(): Rolldown.Plugin {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return {
    name: "ascii-only",
    generateBundle: (_options, bundle) => {
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk") file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
      }
    },
  };
}

/** The licences of the packages whose code ends up in `dist/`, as they ask for. */
function licences(): Rolldown.Plugin {
  return {
    name: "licences",
    writeBundle: (_options, bundle) => {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
      const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? []));
      const texts = [...folders].sort().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license"].find((one) =>
          existsSync(join(folder, one)),
        );
        return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(join(folder, file), "utf8")}`;
      });
      writeFileSync("dist/licences.txt", texts.join(`\n${"-".repeat(80)}\n\n`));
    },
  };
}
