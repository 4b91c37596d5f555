/** Keeps an Endpoints object beside each service with a selector. Source: pkg/controller/endpoint. */
import type { Endpoints, Pod, Service } from "../api/generated/core-v1.ts";
import { endpoints as endpointsKind, pod as podKind, service as serviceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { objectKey } from "../client/objectKey.ts";
import { createRecorder, type Recorder } from "../client/recorder.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { type EndpointsAction, isManaged, plan } from "./endpoints/endpointsPlan.ts";
import { hasSelector, isEndpointChange, keysOfPodServices, podsOfService } from "./endpoints/servicePods.ts";
import { noTriggerTimes, type TriggerTimes, triggerTime } from "./endpoints/triggerTimes.ts";
import { targetOf } from "./ownership.ts";
import { isNamespaceTerminating, messageOf } from "./pods/podControl.ts";

/** Source: kube-controller-manager, --concurrent-endpoint-syncs. */
const WORKERS = 5;

export function startEndpointsController(context: ControllerContext): RunningController {
  const { env, client, informers } = context;
  const recorder = createRecorder({ env, client, component: "endpoint-controller" });
  const triggerTimes = new Map<string, TriggerTimes>();

  const reconcile = async (key: string, tracked: Client) => {
    const service = informers.of<Service>(serviceKind).get(key);
    const endpoints = informers.of<Endpoints>(endpointsKind).get(key);
    if (service === undefined) {
      // Even those written by hand go with their service; others of no known service are not ours to delete.
      const isOurs = triggerTimes.delete(key) || (endpoints !== undefined && isManaged(endpoints));
      if (endpoints !== undefined && isOurs) await tracked.delete(endpointsKind, targetOf(endpoints));
      return;
    }
    if (!hasSelector(service)) {
      triggerTimes.set(key, noTriggerTimes);
      return;
    }
    const pods = podsOfService(informers, service);
    const { times, triggerMs } = triggerTime(triggerTimes.get(key) ?? noTriggerTimes, service, pods);
    triggerTimes.set(key, times);
    await act(tracked, recorder, service, plan({ service, pods, endpoints, triggerMs }));
  };

  return runController({
    ...context,
    name: "endpoint-controller",
    recorder,
    workers: WORKERS,
    watches: [
      watching<Service>(serviceKind, (service) => [objectKey(service)]),
      watching<Pod>(podKind, keysOfPodServices(informers), isEndpointChange),
      watching<Endpoints>(endpointsKind, (endpoints) => [objectKey(endpoints)]),
    ],
    reconcile,
  });
}

async function act(client: Client, recorder: Recorder, service: Service, action: EndpointsAction): Promise<void> {
  const { name, namespace } = service.metadata;
  try {
    if (action.do === "create") await client.create<Endpoints>(endpointsKind, action.endpoints);
    if (action.do === "update") await client.update<Endpoints>(endpointsKind, action.endpoints);
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    const verb = action.do === "create" ? "create" : "update";
    const reason = action.do === "create" ? "FailedToCreateEndpoint" : "FailedToUpdateEndpoint";
    const message = `Failed to ${verb} endpoint for service ${namespace}/${name}: ${messageOf(error)}`;
    recorder.event(service, "Warning", reason, message);
    throw error;
  }
}
