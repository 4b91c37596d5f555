import { nameOption, type SkiffCommand } from "./command.ts";

export const statusCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("status")
      .description("say whether the cluster runs, and how its nodes are")
      .option(...nameOption)
      .action(async (options: { name: string }) => (await import("../status.ts")).printStatus(options.name));
  },
};
