/** What every cluster has from the first moment. What is there already stays as it is. */

import { ApiError, type Status } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { ApiHandler, UserInfo } from "../../machinery/requests.ts";
import type { Server } from "../context.ts";
import { clusterRoleBindings, clusterRoles } from "./roles.ts";

const SYSTEM_USER: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

type Seed = Pick<KubeObject, "apiVersion" | "kind"> & { readonly metadata: Partial<KubeObject["metadata"]> };

/** Source: controlplane/controller/systemnamespaces, core/v1 NamespaceDefault. */
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Source: apis/scheduling/v1/helpers.go, SystemPriorityClasses. */
const PRIORITY_CLASSES: readonly [name: string, value: number, description: string][] = [
  [
    "system-node-critical",
    2_000_001_000,
    "Used for system critical pods that must not be moved from their current node.",
  ],
  [
    "system-cluster-critical",
    2_000_000_000,
    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  ],
];

export async function bootstrap({ resources, env }: Server, handle: ApiHandler): Promise<void> {
  const isServed = (group: string, plural: string) => resources.findAny(group, plural) !== undefined;
  // One that cannot be made must not keep the server from answering. Source: kube-apiserver's post-start hooks.
  const create = (path: string, object: Seed) =>
    createIfMissing(handle, path, object).catch((error: Error) => {
      env.log.error("an object that every cluster has could not be made", { path, error: error.message });
    });
  if (isServed("", "namespaces")) {
    for (const name of NAMESPACES) {
      await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
  }
  if (isServed("scheduling.k8s.io", "priorityclasses")) {
    for (const [name, value, description] of PRIORITY_CLASSES) {
      const seed = {
        apiVersion: "scheduling.k8s.io/v1",
        kind: "PriorityClass",
        metadata: { name },
        value,
        description,
      };
      await create("/apis/scheduling.k8s.io/v1/priorityclasses", seed);
    }
  }
  if (isServed("rbac.authorization.k8s.io", "clusterroles")) {
    const base = "/apis/rbac.authorization.k8s.io/v1";
    for (const role of clusterRoles) await create(`${base}/clusterroles`, role);
    for (const binding of clusterRoleBindings) await create(`${base}/clusterrolebindings`, binding);
  }
}

/** @throws ApiError for anything but that it exists */
async function createIfMissing(handle: ApiHandler, path: string, body: Seed): Promise<void> {
  const headers = { "user-agent": "kube-apiserver", "content-type": "application/json" };
  const response = await handle({ method: "POST", path, headers, body }, SYSTEM_USER);
  if (response.status < 400 || response.status === 409 || response.type !== "object") return;
  throw ApiError.fromStatus(response.object as Status, response.status);
}
