import { existsSync } from "node:fs";
import { clusterPaths } from "../paths.ts";
import { createProgress } from "../progress.ts";
import { UserError } from "../userError.ts";
import { nameOption, type SkiffCommand } from "./command.ts";

export const downCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("down")
      .description("stop the cluster and keep its data")
      .option(...nameOption)
      .action(async (options: { name: string }) => {
        const { data, run } = clusterPaths(options.name);
        if (!existsSync(data) && !existsSync(run)) throw new UserError(`there is no cluster "${options.name}"`);
        await createProgress().step(`cluster "${options.name}" stopped`, async () =>
          (await import("../down.ts")).bringDown(options.name),
        );
      });
  },
};
