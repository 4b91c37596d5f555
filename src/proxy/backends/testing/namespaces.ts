import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { inNamespace, runCommand } from "../command.ts";
import type { Answer, Order } from "./agent.ts";

export interface Agent {
  serve(port: number, host?: string): Promise<void>;
  /** "name address" or "error CODE". */
  tcp(host: string, port: number): Promise<string>;
  udp(host: string, port: number, from?: number): Promise<string>;
  stop(): Promise<void>;
}

/** Network namespaces of one test, and programs in them; `close` removes every one. */
export async function namespaces() {
  const directory = await mkdtemp(join(tmpdir(), "skiff-net-"));
  const paths: string[] = [];
  const agents: Agent[] = [];
  return {
    directory,
    add: async (name: string): Promise<string> => {
      const path = join(directory, name);
      await writeFile(path, "");
      await runCommand(["unshare", `--net=${path}`, "true"]);
      paths.push(path);
      return path;
    },
    agent: (name: string, netnsPath?: string): Agent => {
      const agent = startAgent(name, netnsPath);
      agents.push(agent);
      return agent;
    },
    close: async (): Promise<void> => {
      await Promise.all(agents.map((agent) => agent.stop()));
      for (const path of paths) await runCommand(["umount", path]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function startAgent(name: string, netnsPath: string | undefined): Agent {
  const program = fileURLToPath(new URL("./agent.ts", import.meta.url));
  const [command = "", ...args] = inNamespace(netnsPath, [process.execPath, program, name]);
  const child: ChildProcess = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (text: string) => void>();
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    const { id, text } = JSON.parse(line) as Answer;
    waiting.get(id)?.(text);
    waiting.delete(id);
  });
  let orders = 0;
  const order = (what: Omit<Order, "id">): Promise<string> =>
    new Promise((resolve) => {
      const id = ++orders;
      waiting.set(id, resolve);
      child.stdin?.write(`${JSON.stringify({ id, ...what })}\n`);
    });
  return {
    serve: async (port, host = "0.0.0.0") => {
      await order({ do: "serve", host, port });
    },
    tcp: (host, port) => order({ do: "tcp", host, port }),
    udp: (host, port, from) => order({ do: "udp", host, port, ...(from === undefined ? {} : { from }) }),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
  };
}
