/** Gives each namespace its ServiceAccount `default`. Source: pkg/controller/serviceaccount. */
import type { Namespace, ServiceAccount } from "../api/generated/core-v1.ts";
import { namespace as namespaceKind, serviceAccount as serviceAccountKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { isApiError } from "../machinery/errors.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { isNamespaceTerminating } from "./pods/podControl.ts";

/** Source: kube-controller-manager, --concurrent-serviceaccount-token-syncs has its own; this controller runs one. */
const WORKERS = 1;
const DEFAULT_NAME = "default";

export interface ObservedAccounts {
  readonly namespace: Namespace | undefined;
  readonly account: ServiceAccount | undefined;
}

/** Decides; never acts. */
export const plan = ({ namespace, account }: ObservedAccounts): "create" | "none" =>
  namespace !== undefined && namespace.status?.phase !== "Terminating" && account === undefined ? "create" : "none";

export function startServiceAccountController(context: ControllerContext): RunningController {
  const { informers } = context;
  const reconcile = async (name: string, client: Client) => {
    const namespace = informers.of<Namespace>(namespaceKind).get(name);
    const account = informers.of<ServiceAccount>(serviceAccountKind).find(name, DEFAULT_NAME);
    if (plan({ namespace, account }) === "none") return;
    try {
      await client.create<ServiceAccount>(serviceAccountKind, { metadata: { name: DEFAULT_NAME, namespace: name } });
    } catch (error) {
      if (!isApiError(error, "AlreadyExists") && !isNamespaceTerminating(error)) throw error;
    }
  };
  return runController({
    ...context,
    name: "serviceaccount-controller",
    workers: WORKERS,
    watches: [
      watching<Namespace>(namespaceKind, ({ metadata }) => [metadata.name]),
      watching<ServiceAccount>(serviceAccountKind, ({ metadata }) =>
        metadata.name === DEFAULT_NAME ? [metadata.namespace ?? ""] : [],
      ),
    ],
    reconcile,
  });
}
