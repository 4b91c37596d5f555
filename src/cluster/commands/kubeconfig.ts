import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { mergeKubeconfig } from "../kubeconfig.ts";
import { clusterPaths } from "../paths.ts";
import { typedCommand } from "../typedCommand.ts";
import { UserError } from "../userError.ts";
import { nameOption, type SkiffCommand } from "./command.ts";

/** Where kubectl writes: the first file of KUBECONFIG, else ~/.kube/config. */
export const userKubeconfigPath = (): string =>
  process.env.KUBECONFIG?.split(delimiter).find((path) => path !== "") ?? join(homedir(), ".kube", "config");

export const kubeconfigCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("kubeconfig")
      .description("print the cluster's kubeconfig, or merge it into your own")
      .option(...nameOption)
      .option("--merge", "write the context skiff-<name> into your kubeconfig and make it the current one")
      .action((options: { name: string; merge?: boolean }) => {
        const { kubeconfig } = clusterPaths(options.name);
        if (!existsSync(kubeconfig)) {
          throw new UserError(
            `there is no cluster "${options.name}"; make it with: ${typedCommand("up", options.name)}`,
          );
        }
        const text = readFileSync(kubeconfig, "utf8");
        if (options.merge !== true) {
          process.stdout.write(text);
          return;
        }
        const path = userKubeconfigPath();
        mergeKubeconfig(path, text);
        console.log(`context "skiff-${options.name}" is now the current one in ${path}`);
      });
  },
};
