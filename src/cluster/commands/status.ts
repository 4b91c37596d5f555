import { printStatus } from "../status.ts";
import { nameOption, type SkiffCommand } from "./command.ts";

export const statusCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("status")
      .description("say whether the cluster runs, and how its nodes are")
      .option(...nameOption)
      .action((options: { name: string }) => printStatus(options.name));
  },
};
