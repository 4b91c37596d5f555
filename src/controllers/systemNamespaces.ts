/** The namespaces that every cluster has. Source: pkg/controlplane/controller/systemnamespaces. */
import type { Namespace } from "../api/generated/core-v1.ts";
import { namespace as namespaceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { isApiError } from "../machinery/errors.ts";
import type { ControllerContext } from "./controllerContext.ts";

/** Source: controlplane/instance.go, and `default`. */
export const SYSTEM_NAMESPACES: readonly string[] = ["default", "kube-system", "kube-public", "kube-node-lease"];

export function startSystemNamespacesController(context: ControllerContext): RunningController {
  const { informers } = context;
  const reconcile = async (name: string, client: Client) => {
    if (informers.of<Namespace>(namespaceKind).get(name) !== undefined) return;
    try {
      await client.create<Namespace>(namespaceKind, { metadata: { name } });
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
  };
  const controller = runController({
    ...context,
    name: "system-namespaces-controller",
    workers: 1,
    watches: [
      watching<Namespace>(namespaceKind, ({ metadata }) =>
        SYSTEM_NAMESPACES.includes(metadata.name) ? [metadata.name] : [],
      ),
    ],
    reconcile,
  });
  for (const name of SYSTEM_NAMESPACES) controller.queue.add(name);
  return controller;
}
