/**
 * The Service `kubernetes`, by which pods find the API server, and its endpoints. With several API servers each one's
 * address would be a lease of its own; here there is one. Source: pkg/controlplane/controller/kubernetesendpoints and
 * controlplane/reconcilers.
 */
import type { Endpoints, Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import { endpoints as endpointsKind, service as serviceKind, endpointSlice as sliceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { semanticEqual } from "../machinery/deepEqual.ts";
import type { AnyKind } from "../machinery/defineKind.ts";
import type { Draft, KubeObject } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";

const NAMESPACE = "default";
const NAME = "kubernetes";
const KEY = `${NAMESPACE}/${NAME}`;
/** Source: api/discovery/v1, LabelSkipMirror. */
const SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror";

export interface KubernetesServiceOptions extends ControllerContext {
  readonly apiServer: {
    /** As pods reach it. */
    readonly address: string;
    readonly port: number;
    /** Of the Service: the first of the range. Source: controlplane, apiServerServiceIP. */
    readonly serviceAddress: string;
  };
}

export interface ObservedKubernetes {
  readonly apiServer: KubernetesServiceOptions["apiServer"];
  readonly service: Service | undefined;
  readonly endpoints: Endpoints | undefined;
  readonly slice: EndpointSlice | undefined;
}

export type KubernetesServiceAction =
  | { readonly do: "create"; readonly kind: AnyKind; readonly object: Draft<KubeObject> }
  | { readonly do: "update"; readonly kind: AnyKind; readonly object: KubeObject };

/** Decides; never acts. Same input, same actions. */
export function plan({ apiServer, service, endpoints, slice }: ObservedKubernetes): readonly KubernetesServiceAction[] {
  const { address, port, serviceAddress } = apiServer;
  const metadata = { name: NAME, namespace: NAMESPACE };
  const ports = [{ name: "https", port, protocol: "TCP" }];
  const addressType = address.includes(":") ? "IPv6" : "IPv4";
  const actions: KubernetesServiceAction[] = [];
  const ensure = <T extends KubeObject>(kind: AnyKind, present: T | undefined, wanted: object, labels: object) => {
    if (present === undefined) {
      actions.push({
        do: "create",
        kind,
        object: { ...wanted, metadata: { ...metadata, labels } } as Draft<KubeObject>,
      });
      return;
    }
    const merged = { ...present, ...wanted };
    if (!semanticEqual(present, merged)) actions.push({ do: "update", kind, object: merged });
  };
  if (service === undefined) {
    const labels = { component: "apiserver", provider: "kubernetes" };
    const servicePorts = [{ name: "https", port: 443, protocol: "TCP", targetPort: port }];
    const spec = {
      clusterIP: serviceAddress,
      clusterIPs: [serviceAddress],
      ports: servicePorts,
      sessionAffinity: "None",
      type: "ClusterIP",
    };
    ensure(serviceKind, undefined, { spec }, labels);
  }
  ensure(endpointsKind, endpoints, { subsets: [{ addresses: [{ ip: address }], ports }] }, { [SKIP_MIRROR]: "true" });
  const sliceContent = { addressType, endpoints: [{ addresses: [address], conditions: { ready: true } }], ports };
  ensure(sliceKind, slice, sliceContent, { "kubernetes.io/service-name": NAME });
  return actions;
}

export function startKubernetesServiceController(options: KubernetesServiceOptions): RunningController {
  const { informers, apiServer } = options;
  const reconcile = async (_: string, client: Client) => {
    const actions = plan({
      apiServer,
      service: informers.of<Service>(serviceKind).get(KEY),
      endpoints: informers.of<Endpoints>(endpointsKind).get(KEY),
      slice: informers.of<EndpointSlice>(sliceKind).get(KEY),
    });
    for (const action of actions) {
      if (action.do === "create") await client.create(action.kind, action.object);
      else await client.update(action.kind, action.object);
    }
  };
  const keys = ({ metadata }: KubeObject) => (metadata.namespace === NAMESPACE && metadata.name === NAME ? [KEY] : []);
  const controller = runController({
    ...options,
    name: "kubernetes-service-controller",
    workers: 1,
    watches: [
      watching<Service>(serviceKind, keys),
      watching<Endpoints>(endpointsKind, keys),
      watching<EndpointSlice>(sliceKind, keys),
    ],
    reconcile,
  });
  controller.queue.add(KEY);
  return controller;
}
