/** With real processes: an agent here is a program that listens on its socket and says when it begins and ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLog } from "../lib/silentLog.ts";
import { readProcessRecord, writeProcessRecord } from "./processRecord.ts";
import { createRealEnv } from "./realEnv.ts";
import { type SupervisedAgent, superviseAgent } from "./superviseAgent.ts";

/** Listens only after a while, as an agent does that has a container runtime to look through. */
const AGENT = `
const { appendFileSync, rmSync } = require("node:fs");
const [, socket, diary] = process.argv;
const note = (text) => appendFileSync(diary, text + " " + process.pid + "\\n");
note("begins");
process.on("SIGTERM", () => { note("ends"); process.exit(0); });
setTimeout(() => { rmSync(socket, { force: true }); require("node:net").createServer().listen(socket); }, 300);
`;

const env = createRealEnv(silentLog);
let directory: string;
let agent: SupervisedAgent;
const stops: (() => Promise<void>)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skiff-agent-"));
  const at = (name: string) => join(directory, name);
  const command = [process.execPath, "-e", AGENT, at("agent.sock"), at("diary")];
  agent = { name: "n1", command, process: at("agent.json"), agentSocket: at("agent.sock"), log: at("log") };
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(directory, { recursive: true });
});

const supervise = () => {
  const stop = superviseAgent(env, agent);
  stops.push(stop);
  return stop;
};
const diary = (): string[] => {
  const path = join(directory, "diary");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
};
const begun = () => diary().filter((line) => line.startsWith("begins")).length;
const listens = () => vi.waitFor(() => expect(existsSync(agent.agentSocket)).toBe(true), 10_000);

test("the agent is written down before it has done anything, and is there once", async () => {
  supervise();
  const pid = readProcessRecord(agent.process)?.pid;
  await listens();
  expect(diary()).toEqual([`begins ${pid}`]);
});

test("a second supervisor takes over an agent that does not listen yet, and one that does", async () => {
  supervise();
  supervise();
  await listens();
  supervise();
  await env.clock.sleep(200);
  expect(begun()).toBe(1);
});

test("an agent that was killed is started again, by one who took it over as well", async () => {
  const [program = "", ...args] = agent.command;
  const first: ChildProcess = spawn(program, args, { stdio: "ignore" });
  writeProcessRecord(agent.process, first.pid as number);
  await listens();
  supervise();
  rmSync(agent.agentSocket);
  first.kill("SIGKILL");
  await vi.waitFor(() => expect(begun()).toBe(2), 10_000);
  await listens();
  process.kill(readProcessRecord(agent.process)?.pid as number, "SIGKILL");
  await vi.waitFor(() => expect(begun()).toBe(3), 10_000);
});

test("a record of a process that is gone, and a socket that it left, are no agent", async () => {
  writeFileSync(agent.process, JSON.stringify({ pid: process.pid, startTicks: "1" }));
  writeFileSync(agent.agentSocket, "");
  supervise();
  await vi.waitFor(() => expect(begun()).toBe(1), 10_000);
});

test("stopping waits for the agent's end, and no other is started", async () => {
  const stop = supervise();
  await listens();
  await stop();
  expect(diary().at(-1)).toMatch(/^ends/);
  await env.clock.sleep(300);
  expect(begun()).toBe(1);
});

test("what cannot be started is tried again, and stopping ends that", async () => {
  agent = { ...agent, command: [join(directory, "none")] };
  const stop = supervise();
  await env.clock.sleep(250);
  await stop();
});
