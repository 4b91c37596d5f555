/**
 * What every `skiff` command is: a word, its options, and what it does. One file per command, listed in
 * index.ts. What a command needs beyond its options it imports when it runs: `skiff --help` must not load a cluster.
 */
import type { Command as Commander } from "commander";

export interface SkiffCommand {
  /** Adds itself to the program: `program.command("up").option(…).action(…)`. */
  register(program: Commander): void;
}

/** Every command that works on one cluster takes it. */
export const nameOption = ["--name <cluster>", "name of the cluster", "skiff"] as const;
