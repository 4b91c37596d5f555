import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { clusterPaths } from "../paths.ts";
import { UserError } from "../userError.ts";
import { nameOption, type SkiffCommand } from "./command.ts";

export const logsCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("logs")
      .description("show what a component of the cluster logged")
      .argument("[component]", "control-plane, or a node's name", "control-plane")
      .option(...nameOption)
      .option("-f, --follow", "go on as more is logged")
      .option("--tail <lines>", "only the last lines", "100")
      .action(async (component: string, options: { name: string; follow?: boolean; tail: string }) => {
        const { logs } = clusterPaths(options.name);
        const path = join(logs, `${component}.log`);
        if (!existsSync(path)) {
          const known = existsSync(logs) ? readdirSync(logs).map((file) => file.replace(/\.log$/, "")) : [];
          throw new UserError(
            known.length === 0
              ? `there is no cluster "${options.name}"`
              : `there is no component "${component}"; there are: ${known.join(", ")}`,
          );
        }
        if (!/^\d+$/.test(options.tail)) throw new UserError(`--tail takes a whole number, not "${options.tail}"`);
        const tail = spawn("tail", ["-n", options.tail, ...(options.follow ? ["-F"] : []), path], { stdio: "inherit" });
        await new Promise((resolve) => tail.once("exit", resolve));
      });
  },
};
