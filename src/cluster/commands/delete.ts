import { existsSync } from "node:fs";
import { clusterPaths } from "../paths.ts";
import { createProgress } from "../progress.ts";
import { nameOption, type SkiffCommand } from "./command.ts";
import { clusterNames } from "./list.ts";

export const deleteCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("delete")
      .description("remove the cluster and every trace of it")
      .option(...nameOption)
      .option("--all", "every cluster on this machine")
      .action(async (options: { name: string; all?: boolean }) => {
        const progress = createProgress();
        const names = options.all === true ? clusterNames() : [options.name];
        const { deleteCluster } = await import("../down.ts");
        for (const name of names) {
          const { data, run } = clusterPaths(name);
          const title = existsSync(data) || existsSync(run) ? `cluster "${name}" deleted` : `no cluster "${name}"`;
          const warning = await progress.step(title, () => deleteCluster(name));
          if (warning !== undefined) progress.warn(warning);
        }
      });
  },
};
