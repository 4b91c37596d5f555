/**
 * The control plane's components as they run in this process, each with a log of its own, and each to be restarted by
 * itself. What stands on another one restarts with it: everything on the store, and the controllers and the scheduler on
 * the API server, which they call directly.
 *
 * While the API server restarts its watches end and requests wait for the next one, so nobody is refused.
 */
import { join } from "node:path";
import type { HttpServer } from "../../apiserver/http/server.ts";
import type { Env, Log } from "../../lib/env.ts";
import type { Storage } from "../../storage/storage.ts";
import type { ActingComponent, ControlPlane } from "../controlPlane.ts";
import type { ComponentName } from "./builtinImages.ts";
import { openComponentLog } from "./componentLog.ts";
import type { ServedComponent } from "./componentServer.ts";

/** The control plane that is there now; while it restarts, the next one. */
export type CurrentControlPlane = () => ControlPlane | Promise<ControlPlane>;

/** How the components are made; each is handed an `Env` with its own log. */
export interface ControlPlaneParts {
  readonly createControlPlane: (
    env: Env,
    storage: Storage,
    logs: Readonly<Record<ActingComponent, Log>>,
  ) => ControlPlane;
  readonly listen: (env: Env, current: CurrentControlPlane) => Promise<HttpServer>;
  /** What else of this process works with the control plane. */
  readonly startBeside: (controlPlane: ControlPlane) => { stop(): Promise<void> } | undefined;
}

export interface ControlPlaneComponents {
  openStore(): Promise<void>;
  /** After the store. @returns what answers requests */
  serve(parts: ControlPlaneParts): Promise<ControlPlane>;
  /** After `serve`: what acts unasked. */
  start(): void;
  stop(): Promise<void>;
  readonly served: Readonly<Record<ComponentName, ServedComponent>>;
}

const ACTING = ["kube-controller-manager", "kube-scheduler"] as const;

export interface ControlPlaneComponentsOptions {
  readonly env: Env;
  readonly logsDirectory: string;
  readonly openStore: (env: Env) => Promise<Storage>;
  /** A component could not be started again: without it the process is of no use. */
  readonly failed: (error: unknown) => void;
}

export function createControlPlaneComponents(options: ControlPlaneComponentsOptions): ControlPlaneComponents {
  const { env } = options;
  const logOf = (name: ComponentName) => openComponentLog(join(options.logsDirectory, `${name}.log`));
  const logs = {
    etcd: logOf("etcd"),
    "kube-apiserver": logOf("kube-apiserver"),
    "kube-controller-manager": logOf("kube-controller-manager"),
    "kube-scheduler": logOf("kube-scheduler"),
  };
  const envOf = (name: ComponentName): Env => ({ ...env, log: logs[name].log });
  let parts: ControlPlaneParts;
  let storage: Storage;
  let controlPlane: ControlPlane;
  let http: HttpServer;
  let beside: { stop(): Promise<void> } | undefined;
  let restarting: Promise<void> | undefined;

  const begin = (name: ComponentName) => {
    logs[name].begin();
    logs[name].log.info("begins", { component: name, process: process.pid });
  };
  const end = (name: ComponentName) => {
    logs[name].log.info("ends", { component: name });
    logs[name].end();
  };

  const openStore = async () => {
    begin("etcd");
    storage = await options.openStore(envOf("etcd"));
  };
  const create = async () => {
    begin("kube-apiserver");
    controlPlane = parts.createControlPlane(envOf("kube-apiserver"), storage, {
      "kube-controller-manager": logs["kube-controller-manager"].log,
      "kube-scheduler": logs["kube-scheduler"].log,
    });
    await controlPlane.apiServer.ready;
    logs["kube-apiserver"].log.info("requests are answered");
  };
  const startActing = (name: ActingComponent) => {
    begin(name);
    controlPlane.start(name);
  };
  const stopActing = async (name: ActingComponent) => {
    await controlPlane.stopComponent(name);
    end(name);
  };
  const start = () => {
    for (const name of ACTING) startActing(name);
    beside = parts.startBeside(controlPlane);
  };
  const stopServing = async () => {
    await beside?.stop();
    await Promise.all(ACTING.map(stopActing));
    await controlPlane.stop();
    end("kube-apiserver");
  };
  const closeStore = async () => {
    await storage.close();
    end("etcd");
  };
  const restartServing = async (between: () => Promise<void>) => {
    const ready = Promise.withResolvers<void>();
    restarting = ready.promise;
    await stopServing();
    await between();
    await create();
    restarting = undefined;
    ready.resolve();
    start();
  };
  const restartActing = async (name: ActingComponent) => {
    await stopActing(name);
    startActing(name);
  };

  const restarts: Readonly<Record<ComponentName, () => Promise<void>>> = {
    etcd: () =>
      restartServing(async () => {
        await closeStore();
        await openStore();
      }),
    "kube-apiserver": () => restartServing(async () => undefined),
    "kube-controller-manager": () => restartActing("kube-controller-manager"),
    "kube-scheduler": () => restartActing("kube-scheduler"),
  };
  /** One after the other. */
  let last: Promise<void> = Promise.resolve();
  const served = (name: ComponentName): ServedComponent => ({
    log: logs[name],
    restart: () => {
      last = last.then(restarts[name]).catch(options.failed);
      return last;
    },
  });

  return {
    openStore,
    serve: async (given) => {
      parts = given;
      await create();
      const current = () => (restarting === undefined ? controlPlane : restarting.then(() => controlPlane));
      http = await parts.listen(envOf("kube-apiserver"), current);
      return controlPlane;
    },
    start,
    stop: async () => {
      await last;
      await http.close();
      await stopServing();
      await closeStore();
    },
    served: {
      etcd: served("etcd"),
      "kube-apiserver": served("kube-apiserver"),
      "kube-controller-manager": served("kube-controller-manager"),
      "kube-scheduler": served("kube-scheduler"),
    },
  };
}
