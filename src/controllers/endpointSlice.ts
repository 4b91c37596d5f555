/** Tells who stands behind each service, in slices of 100. Source: pkg/controller/endpointslice. */
import type { Node, Pod, Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import { node as nodeKind, pod as podKind, service as serviceKind, endpointSlice as sliceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { namespacedKey, objectKey } from "../client/objectKey.ts";
import { createRecorder } from "../client/recorder.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { actOnSlices } from "./endpointSlice/actOnSlices.ts";
import { MANAGED_BY, MANAGED_BY_LABEL, plan, SERVICE_NAME_LABEL } from "./endpointSlice/endpointSlicePlan.ts";
import { hasSelector, isEndpointChange, keysOfPodServices, podsOfService } from "./endpoints/servicePods.ts";
import { noTriggerTimes, type TriggerTimes, triggerTime } from "./endpoints/triggerTimes.ts";
import { zoneOf } from "./node/zones.ts";
import { isNamespaceTerminating, messageOf } from "./pods/podControl.ts";
import { podsOnNode } from "./pods/podsOnNode.ts";

/** Source: kube-controller-manager, --concurrent-service-endpoint-syncs. */
const WORKERS = 5;
const BY_SERVICE = "service";

export function startEndpointSliceController(context: ControllerContext): RunningController {
  const { env, client, informers } = context;
  const recorder = createRecorder({ env, client, component: "endpoint-slice-controller" });
  const slices = informers.of<EndpointSlice>(sliceKind);
  slices.addIndex(BY_SERVICE, serviceKeysOf);
  const triggerTimes = new Map<string, TriggerTimes>();

  const reconcile = async (key: string, tracked: Client) => {
    const service = informers.of<Service>(serviceKind).get(key);
    if (service === undefined) triggerTimes.delete(key);
    // Slices of a service that has gone go with it, by their owner reference.
    if (service === undefined || !hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return;
    const pods = podsOfService(informers, service);
    const { times, triggerMs } = triggerTime(triggerTimes.get(key) ?? noTriggerTimes, service, pods);
    triggerTimes.set(key, times);
    const { actions, withoutNode } = plan({
      service,
      pods,
      nodeOf: (name) => informers.of<Node>(nodeKind).get(name),
      slices: slices.byIndex(BY_SERVICE, key),
      triggerMs,
    });
    try {
      await actOnSlices(tracked, actions);
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      const message = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`;
      recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", message);
      throw error;
    }
    if (withoutNode.length > 0) env.log.debug("pods are left out: their node is not known", { key, withoutNode });
  };

  const keysOfPod = keysOfPodServices(informers);
  const podsOn = podsOnNode(informers);
  const keysOfNode = ({ metadata }: Node) => podsOn(metadata.name).flatMap(keysOfPod);
  return runController({
    ...context,
    name: "endpointslice-controller",
    recorder,
    workers: WORKERS,
    watches: [
      watching<Service>(serviceKind, (service) => [objectKey(service)]),
      watching<Pod>(podKind, keysOfPod, isEndpointChange),
      watching<EndpointSlice>(sliceKind, serviceKeysOf),
      watching<Node>(nodeKind, keysOfNode, (before, after) => zoneOf(before) !== zoneOf(after)),
    ],
    reconcile,
  });
}

/** Only slices of this controller; others may write their own. */
function serviceKeysOf({ metadata }: EndpointSlice): readonly string[] {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  if (name === undefined || metadata.labels?.[MANAGED_BY_LABEL] !== MANAGED_BY) return [];
  return [namespacedKey(metadata.namespace, name)];
}
