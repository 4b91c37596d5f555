/** Makes the add-ons, or brings those of an earlier version up to date. */
import { deployment } from "../../api/index.ts";
import type { Client } from "../../client/client.ts";
import { isApiError } from "../../machinery/errors.ts";
import { apiVersionOf } from "../../machinery/object.ts";
import { addons, DNS_DEPLOYMENT, DNS_REPLICAS } from "./addons.ts";

/** Server-side apply by this manager: fields that others have added stay theirs. */
const FIELD_MANAGER = "skiff-addons";

export interface ApplyAddonsOptions {
  readonly clusterDns: string;
  /**
   * Pods are not made before that: they would be found to fit nowhere and then be held back for a second, and all of the
   * DNS would be on the node that comes first.
   */
  readonly nodesReady: Promise<void>;
}

export async function applyAddons(client: Client, { clusterDns, nodesReady }: ApplyAddonsOptions): Promise<void> {
  const existing = await client
    .get(deployment, { name: DNS_DEPLOYMENT, namespace: "kube-system" })
    .catch((error: unknown) => {
      if (isApiError(error, "NotFound")) return undefined;
      throw error;
    });
  for (const { kind, object } of addons({ clusterDns, dnsReplicas: existing?.spec.replicas ?? DNS_REPLICAS })) {
    const { name = "", namespace } = object.metadata;
    if (kind.group === "apps") await nodesReady;
    await client.patch(
      kind,
      { name, ...(namespace !== undefined && { namespace }) },
      "apply",
      { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind },
      { fieldManager: FIELD_MANAGER, force: true },
    );
  }
}
