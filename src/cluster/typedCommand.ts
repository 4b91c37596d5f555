/** What a message tells the person to type: `skiff` where that works as it stands, else with `npx` before it. */
import { findProgram } from "../lib/findProgram.ts";

const DEFAULT_CLUSTER = "skiff";

export interface Typing {
  /** npm says it of what it runs: `exec` for `npx`, `start` for `npm start`; its PATH is then not the person's. */
  readonly npmCommand: string | undefined;
  readonly isOnPath: boolean;
}

const thisTyping = (): Typing => ({
  npmCommand: process.env.npm_command,
  isOnPath: findProgram("skiff") !== undefined,
});

/** "up" and "web" → "npx skiff up --name web". */
export function typedCommand(words: string, cluster: string = DEFAULT_CLUSTER, typing: Typing = thisTyping()): string {
  const program = typing.npmCommand === undefined && typing.isOnPath ? "skiff" : "npx skiff";
  return `${program} ${words}${cluster === DEFAULT_CLUSTER ? "" : ` --name ${cluster}`}`;
}
