import { nameOption, type SkiffCommand } from "./command.ts";

/** What `skiff up` starts in the background; hidden, because nobody needs to type it. */
export const controlPlaneCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("control-plane", { hidden: true })
      .description("run a cluster's control plane in this process")
      .option(...nameOption)
      .action(async (options: { name: string }) =>
        (await import("../controlPlaneProcess.ts")).runControlPlane(options.name),
      );
  },
};
