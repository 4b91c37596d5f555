import { spawn } from "node:child_process";

/** A tool of the system (ip, nft, nsenter, …) that failed; `message` says which and why. */
export class CommandError extends Error {
  readonly stderr: string;
  constructor(argv: readonly string[], code: number | null, stderr: string) {
    super(`"${argv.join(" ")}" ended with ${code}: ${stderr.trim()}`);
    this.name = "CommandError";
    this.stderr = stderr;
  }
}

export type RunCommand = (argv: readonly string[], stdin?: string) => Promise<string>;

/** Runs a program to its end and gives what it printed. @throws CommandError when it cannot start or fails. */
export const runCommand: RunCommand = (argv, stdin = "") =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = argv;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    // A program that ends without reading its input closes the pipe; its exit code says what happened.
    child.stdin.on("error", () => {});
    child.once("error", (error) => reject(new CommandError(argv, null, error.message)));
    child.once("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(new CommandError(argv, code, stderr || stdout));
    });
    child.stdin.end(stdin);
  });

/** Puts a command into a network namespace given as a file; without one it runs where we are. */
export const inNamespace = (netnsPath: string | undefined, argv: readonly string[]): readonly string[] =>
  netnsPath === undefined ? argv : ["nsenter", `--net=${netnsPath}`, ...argv];
