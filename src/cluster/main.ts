/** The `skiff` command. */
import { resolve } from "node:path";
import { getSystemErrorMessage } from "node:util";
import { Command, CommanderError } from "commander";
import colours from "picocolors";
import { withSystemDirectories } from "../lib/findProgram.ts";
import { commands } from "./commands/index.ts";
import { baseDirectories } from "./paths.ts";
import { UserError } from "./userError.ts";
import { VERSION } from "./version.ts";

function report(error: unknown): void {
  if (error instanceof UserError) {
    console.error(`${colours.red("skiff:")} ${error.message}`);
    if (process.env.SKIFF_LOG_LEVEL === "debug" && error.cause !== undefined) console.error(error.cause);
    return;
  }
  const sentence = fileSentence(error as NodeJS.ErrnoException);
  console.error(sentence === undefined ? error : `${colours.red("skiff:")} ${sentence}`);
}

/** Files that the machine refuses are not bugs of ours. */
const REFUSALS = ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR"];

function fileSentence({ code, errno, path, syscall }: NodeJS.ErrnoException): string | undefined {
  if (code === undefined || errno === undefined || !REFUSALS.includes(code)) return undefined;
  const { data, run } = baseDirectories();
  // A write does not know the file's name.
  const file = path ?? data;
  const isOurs = [data, run].some((folder) => file.startsWith(folder));
  // rmSync gives the number without its sign.
  const reason = `${file}: ${getSystemErrorMessage(-Math.abs(errno))} (${syscall})`;
  return isOurs ? `${reason}; SKIFF_HOME=<folder> puts everything elsewhere` : reason;
}

// A plain `su` leaves root without the folders of ip and nft.
process.env.PATH = withSystemDirectories(process.env.PATH);
// What we start runs in another folder.
if (process.env.SKIFF_HOME) process.env.SKIFF_HOME = resolve(process.env.SKIFF_HOME);

const program = new Command("skiff")
  .description("Kubernetes in one npm package")
  .version(VERSION)
  .showHelpAfterError("(skiff --help lists what there is)")
  .exitOverride();
for (const command of commands) command.register(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    report(error);
    process.exitCode = 1;
  }
}
