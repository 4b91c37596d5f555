import colours from "picocolors";
import { containersImpossible, examine } from "../doctor.ts";
import type { SkiffCommand } from "./command.ts";

export const doctorCommand: SkiffCommand = {
  register: (program) => {
    program
      .command("doctor")
      .description("say what this machine lacks, and the command that installs it")
      .action(() => {
        const findings = examine();
        for (const { name, ok, detail } of findings) {
          console.log(` ${ok ? colours.green("✓") : colours.red("✗")} ${name}: ${detail}`);
        }
        const impossible = containersImpossible(findings);
        console.log(impossible === undefined ? "Containers are real here." : "Containers are simulated here.");
        if (findings.some(({ ok }) => !ok)) process.exitCode = 1;
      });
  },
};
