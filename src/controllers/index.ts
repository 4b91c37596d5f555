/**
 * Everything that acts unasked. A controller is one file here (with a folder of its name for its pure parts) and one
 * line in `controllers`.
 *
 * Invariants: decisions are pure functions of what was observed; controllers meet only through the API; events wake
 * them and are never read; a restart and a normal run take the same path.
 */
import type { RunningController } from "../client/controller.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { startDeploymentController } from "./deployment.ts";
import { startReplicaSetController } from "./replicaSet.ts";

export const controllers = {
  deployment: startDeploymentController,
  replicaset: startReplicaSetController,
} satisfies Record<string, (options: ControllersOptions) => RunningController>;

export type ControllerName = keyof typeof controllers;

export interface ControllersOptions extends ControllerContext {
  /** Absent: all. */
  readonly only?: readonly ControllerName[];
}

/** Starts them, and the informers that they need. `stop` resolves when none of them works any more. */
export function startControllers(options: ControllersOptions): { stop(): Promise<void> } {
  const names = options.only ?? (Object.keys(controllers) as ControllerName[]);
  const running = names.map((name) => controllers[name](options));
  options.informers.start();
  return {
    async stop() {
      await Promise.all(running.map((controller) => controller.stop()));
    },
  };
}
