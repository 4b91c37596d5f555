import { createProgress } from "../progress.ts";
import { nameOption, type SkiffCommand } from "./command.ts";

export const loadCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("load")
      .description("bring images into the cluster")
      .command("archive")
      .description("load a docker-archive or OCI archive")
      .argument("<file>", "tar file, also compressed with gzip or zstd")
      .option(...nameOption)
      .action(async (file: string, options: { name: string }) => {
        const progress = createProgress();
        const names = await progress.step(`${file} loaded`, async () =>
          (await import("../images.ts")).loadArchive(options.name, file),
        );
        for (const name of names) progress.note(name);
      });
  },
};
