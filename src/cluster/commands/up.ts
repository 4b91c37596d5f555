import { InvalidArgumentError } from "commander";
import { NODES_MAX } from "../clusterConfig.ts";
import { createProgress } from "../progress.ts";
import type { UpOptions } from "../upOptions.ts";
import { nameOption, type SkiffCommand } from "./command.ts";

const wholeNumber = (lowest: number, highest: number) => (text: string) => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < lowest || number > highest) {
    throw new InvalidArgumentError(`It takes a whole number from ${lowest} to ${highest}.`);
  }
  return number;
};

export const upCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("up")
      .description("start a cluster, making it first if there is none")
      .option(...nameOption)
      .option("--nodes <count>", "how many nodes (default: 1, or what the cluster has)", wholeNumber(1, NODES_MAX))
      .option("--runtime <runtime>", "oci, crun, runc or simulated (default: what this machine can do)")
      .option(
        "--port <port>",
        "port of the API server on 127.0.0.1 (default: the first free one from 6443)",
        wholeNumber(1, 65535),
      )
      .option(
        "--wait <seconds>",
        "how long to wait until the nodes are Ready; 0: do not wait",
        wholeNumber(0, 3600),
        60,
      )
      .option("--foreground", "stay, with a live status line; Ctrl-C is the same as down")
      .option("--sample", "deploy the sample service too")
      .action(async (options: UpOptions & { foreground?: boolean }) => {
        const progress = createProgress();
        if (options.foreground === true) await (await import("../foreground.ts")).runForeground(options, progress);
        else await (await import("../up.ts")).bringUp(options, progress);
      });
  },
};
