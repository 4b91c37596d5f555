import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { realClock } from "../../../../cluster/realEnv.ts";
import { detectCgroups } from "../../../nodeEnvironment/detectCgroups.ts";
import {
  createNodeEnvironment,
  destroyNodeEnvironment,
  enterCommand,
  type NodeEnvironment,
} from "../../../nodeEnvironment/nodeEnvironment.ts";
import type { Answer, Order } from "./suiteProcess.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** A node with an agent in it that runs cases of the suite. */
export interface TestNode {
  readonly directory: string;
  readonly environment: NodeEnvironment;
  tell(order: WithoutId<Order>): Promise<unknown>;
  /** Kills the agent, and only it, with SIGKILL. */
  kill(): Promise<void>;
  /** Starts another agent. */
  restart(): Promise<void>;
  destroy(): Promise<void>;
}

export async function startTestNode(ociRuntime: string): Promise<TestNode> {
  const directory = mkdtempSync(join(tmpdir(), "skiff-node-"));
  const environment = await createNodeEnvironment({
    runDirectory: join(directory, "run"),
    dataDirectory: join(directory, "data"),
    cluster: basename(directory),
    node: "test-node",
    clock: realClock,
  });
  let agent = await startAgent(environment, directory, ociRuntime);
  return {
    directory,
    environment,
    tell: (order) => agent.tell(order),
    kill: () => agent.kill(),
    async restart() {
      agent = await startAgent(environment, directory, ociRuntime);
    },
    async destroy() {
      await destroyNodeEnvironment({ runDirectory: environment.runDirectory, clock: realClock });
      rmSync(directory, { recursive: true });
    },
  };
}

async function startAgent(environment: NodeEnvironment, directory: string, ociRuntime: string) {
  const program = [process.execPath, join(import.meta.dirname, "suiteProcess.ts"), directory, ociRuntime];
  const [command = "", ...args] = enterCommand(environment, program, detectCgroups(realClock));
  const child: ChildProcess = spawn(command, args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { PATH: process.env.PATH },
  });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const answer = (id: number) => new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
  child.on("message", ({ id, result, error }: Answer) => {
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(Object.assign(new Error(error.split("\n", 1)[0]), { stack: error }));
    waiting.delete(id);
  });
  const closed = new Promise<void>((resolve) => {
    child.once("exit", () => {
      for (const { reject } of waiting.values()) reject(new Error("the agent has ended"));
      resolve();
    });
  });
  let serial = 0;
  await answer(0);
  return {
    tell(order: WithoutId<Order>) {
      const id = ++serial;
      child.send({ ...order, id });
      return answer(id);
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
