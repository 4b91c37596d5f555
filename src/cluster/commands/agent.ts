import type { SkiffCommand } from "./command.ts";

/** What the control plane starts inside a node's namespaces; hidden, because nobody needs to type it. */
export const agentCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("agent", { hidden: true })
      .description("run a node's agent in this process")
      .argument("<config>", "path of its configuration")
      .action(async (config: string) => (await import("../agentProcess.ts")).runAgent(config));
  },
};
