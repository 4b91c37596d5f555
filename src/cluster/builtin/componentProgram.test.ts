import { mkdtempSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { silentLog } from "../../lib/silentLog.ts";
import { realClock, realRandom } from "../realEnv.ts";
import { type ComponentLog, openComponentLog } from "./componentLog.ts";
import { componentProgram } from "./componentProgram.ts";
import { serveComponents } from "./componentServer.ts";

const env = { clock: realClock, random: realRandom, log: silentLog };

interface Scene {
  readonly directory: string;
  readonly socketPath: string;
  readonly log: ComponentLog;
  readonly restarts: () => number;
  readonly serve: () => Promise<Server>;
}

/** A component in a process, seen through its socket. */
function scene(): Scene {
  const directory = mkdtempSync(join(tmpdir(), "skiff-parts-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const socketPath = join(directory, "parts.sock");
  const log = openComponentLog(join(directory, "kube-scheduler.log"));
  let restarts = 0;
  const restart = async () => {
    restarts++;
    log.log.info("ends");
    log.end();
    log.begin();
    log.log.info("begins again");
  };
  return {
    directory,
    socketPath,
    log,
    restarts: () => restarts,
    serve: async () => {
      const server = await serveComponents(socketPath, { "kube-scheduler": { log, restart } }, silentLog);
      onTestFinished(() => void close(server));
      return server;
    },
  };
}

const close = (server: Server): void => {
  server.close();
  server.closeAllConnections();
};

/** The component's container in the agent. */
function container({ socketPath }: Scene) {
  const end = new AbortController();
  const messages: string[] = [];
  const log = new Writable({
    write(data: Buffer, _encoding, done) {
      for (const line of data.toString().split("\n")) if (line !== "") messages.push(JSON.parse(line).msg);
      done();
    },
  });
  const program = componentProgram({ env, socketPath, component: "kube-scheduler" });
  const context = { args: [], env: {}, log, signal: end.signal, containerId: "c", sandboxId: "s", config: {} as never };
  const exitCode = program(context);
  onTestFinished(() => end.abort());
  return { messages, exitCode, kill: () => end.abort() };
}

test("a component's log is its container's", async () => {
  const here = scene();
  await here.serve();
  here.log.begin();
  here.log.log.info("begins");
  const { messages } = container(here);
  await vi.waitFor(() => expect(messages).toEqual(["begins"]));
  here.log.log.info("works");
  await vi.waitFor(() => expect(messages).toEqual(["begins", "works"]));
});

test("who ends the container restarts the component, whose last words are in the log", async () => {
  const here = scene();
  await here.serve();
  here.log.begin();
  here.log.log.info("begins");
  const { messages, exitCode, kill } = container(here);
  await vi.waitFor(() => expect(messages).toEqual(["begins"]));
  kill();
  expect([await exitCode, here.restarts(), messages]).toEqual([0, 1, ["begins", "ends"]]);
  const next = container(here);
  await vi.waitFor(() => expect(next.messages).toEqual(["begins again"]));
});

test("a component that restarts for another reason is followed on", async () => {
  const here = scene();
  const server = await here.serve();
  here.log.begin();
  here.log.log.info("begins");
  const { messages } = container(here);
  await vi.waitFor(() => expect(messages).toEqual(["begins"]));
  here.log.end();
  here.log.begin();
  here.log.log.info("begins by itself");
  await vi.waitFor(() => expect(messages).toEqual(["begins", "begins by itself"]));
  close(server);
  here.log.begin();
  here.log.log.info("in a new process");
  await here.serve();
  await vi.waitFor(() => expect(messages).toEqual(["begins", "begins by itself", "in a new process"]));
  expect(here.restarts()).toBe(0);
});

test("a container that waits for its component can be ended, and restarts nothing", async () => {
  const here = scene();
  const { exitCode, kill } = container(here);
  await realClock.sleep(5);
  kill();
  expect(await exitCode).toBe(0);
  expect(here.restarts()).toBe(0);
});

test("a container ends even if the control plane has gone meanwhile", async () => {
  const here = scene();
  const server = await here.serve();
  here.log.begin();
  here.log.log.info("begins");
  const { messages, exitCode, kill } = container(here);
  await vi.waitFor(() => expect(messages).toEqual(["begins"]));
  close(server);
  kill();
  expect(await exitCode).toBe(0);
});

test("only the owner reaches the socket, and unknown components are not found", async () => {
  const here = scene();
  await here.serve();
  expect(statSync(here.socketPath).mode & 0o777).toBe(0o600);
  const other = componentProgram({ env, socketPath: here.socketPath, component: "kube-nothing" });
  const end = new AbortController();
  const log = new Writable({ write: (_data, _encoding, done) => done() });
  const context = { args: [], env: {}, log, signal: end.signal, containerId: "c", sandboxId: "s", config: {} as never };
  const exitCode = other(context);
  await realClock.sleep(20);
  end.abort();
  expect([await exitCode, here.restarts()]).toEqual([0, 0]);
});
