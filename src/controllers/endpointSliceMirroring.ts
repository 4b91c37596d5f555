/** Mirrors Endpoints that were written by hand into slices. Source: pkg/controller/endpointslicemirroring. */
import type { Endpoints, Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import { endpoints as endpointsKind, service as serviceKind, endpointSlice as sliceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { namespacedKey, objectKey } from "../client/objectKey.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { actOnSlices } from "./endpointSlice/actOnSlices.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "./endpointSlice/endpointSlicePlan.ts";
import { MIRRORED_BY, plan } from "./endpointSliceMirroring/mirrorPlan.ts";
import { isNamespaceTerminating } from "./pods/podControl.ts";

/** Source: kube-controller-manager, --mirroring-concurrent-service-endpoint-syncs. */
const WORKERS = 5;
const BY_MIRRORED = "mirrored";

export function startEndpointSliceMirroringController(context: ControllerContext): RunningController {
  const { informers } = context;
  const slices = informers.of<EndpointSlice>(sliceKind);
  slices.addIndex(BY_MIRRORED, mirroredKeysOf);
  const reconcile = async (key: string, client: Client) => {
    const actions = plan({
      service: informers.of<Service>(serviceKind).get(key),
      endpoints: informers.of<Endpoints>(endpointsKind).get(key),
      slices: slices.byIndex(BY_MIRRORED, key),
    });
    try {
      await actOnSlices(client, actions);
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
  };
  return runController({
    ...context,
    name: "endpointslice-mirroring-controller",
    workers: WORKERS,
    watches: [
      watching<Service>(serviceKind, (service) => [objectKey(service)]),
      watching<Endpoints>(endpointsKind, (endpoints) => [objectKey(endpoints)]),
      watching<EndpointSlice>(sliceKind, mirroredKeysOf),
    ],
    reconcile,
  });
}

function mirroredKeysOf({ metadata }: EndpointSlice): readonly string[] {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  if (name === undefined || metadata.labels?.[MANAGED_BY_LABEL] !== MIRRORED_BY) return [];
  return [namespacedKey(metadata.namespace, name)];
}
