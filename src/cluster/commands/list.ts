import { existsSync, readdirSync } from "node:fs";
import { Option } from "commander";
import { readClusterConfig } from "../clusterConfig.ts";
import { baseDirectories, clusterPaths } from "../paths.ts";
import { isRunning } from "../runningCluster.ts";
import { typedCommand } from "../typedCommand.ts";
import { UserError } from "../userError.ts";
import type { SkiffCommand } from "./command.ts";

/** Names of all clusters that have data on this machine. */
export function clusterNames(): string[] {
  const { data } = baseDirectories();
  if (!existsSync(data)) return [];
  return readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(clusterPaths(entry.name).config))
    .map((entry) => entry.name)
    .sort();
}

export const listCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("list")
      .alias("ls")
      .description("list the clusters on this machine")
      .addOption(new Option("-o, --output <format>", "names only").choices(["name"]))
      .action((options: { output?: string }) => {
        const names = clusterNames();
        if (options.output === "name") {
          for (const name of names) console.log(name);
          return;
        }
        if (names.length === 0) {
          console.log(`There are no clusters. Make one with: ${typedCommand("up")}`);
          return;
        }
        const rows = names.map(rowOf);
        printTable(["NAME", "STATUS", "NODES", "RUNTIME", "SERVER"], rows);
      });
  },
};

/** One that is damaged does not hide the others. */
function rowOf(name: string): string[] {
  try {
    const config = readClusterConfig(clusterPaths(name));
    const state = isRunning(name) ? "Running" : "Stopped";
    return [
      name,
      state,
      `${config?.nodes.length ?? 0}`,
      config?.runtime ?? "",
      `https://127.0.0.1:${config?.apiPort ?? 0}`,
    ];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [name, "Damaged", "", "", ""];
  }
}

/** Columns three blanks apart, as kubectl prints them. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  for (const row of [header, ...rows]) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("   ")
        .trimEnd(),
    );
  }
}
