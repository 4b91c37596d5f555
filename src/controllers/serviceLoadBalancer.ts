/**
 * Gives Services of type LoadBalancer an address from a local range, as a cloud would. Source of its events:
 * cloud-provider controllers/service.
 */
import type { Service } from "../api/generated/core-v1.ts";
import { service as serviceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { createRecorder } from "../client/recorder.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { plan } from "./loadBalancerAddresses.ts";

/** All services are looked at together, so that no address is given twice. */
const KEY = "services";

export interface ServiceLoadBalancerOptions extends ControllerContext {
  /** Addresses to be given, such as "172.18.255.0/24". */
  readonly loadBalancerRange: string;
}

export function startServiceLoadBalancerController(options: ServiceLoadBalancerOptions): RunningController {
  const { env, client, informers, loadBalancerRange } = options;
  const recorder = createRecorder({ env, client, component: "service-controller" });
  const reconcile = async (_: string, tracked: Client) => {
    const { changes, without } = plan(informers.of<Service>(serviceKind).list(), loadBalancerRange);
    for (const { service, ingress } of changes) {
      if (ingress.length > 0) recorder.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
      const loadBalancer = ingress.length > 0 ? { ingress } : {};
      const status = { ...service.status, loadBalancer };
      await tracked.update<Service>(serviceKind, { ...service, status }, { subresource: "status" });
      if (ingress.length > 0) recorder.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
      else recorder.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer");
    }
    for (const service of without) {
      const message = `Error syncing load balancer: failed to ensure load balancer: no free address in ${loadBalancerRange}`;
      recorder.event(service, "Warning", "SyncLoadBalancerFailed", message);
    }
  };
  return runController({
    ...options,
    name: "service-lb-controller",
    recorder,
    workers: 1,
    watches: [
      watching<Service>(serviceKind, ({ spec, status }) =>
        spec.type === "LoadBalancer" || status?.loadBalancer?.ingress !== undefined ? [KEY] : [],
      ),
    ],
    reconcile,
  });
}
