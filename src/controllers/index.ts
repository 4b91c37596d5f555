/**
 * Everything that acts unasked. A controller is one file here (with a folder of its name for its pure parts) and one
 * line in `controllers`.
 *
 * Invariants: decisions are pure functions of what was observed; controllers meet only through the API; events wake
 * them and are never read; a restart and a normal run take the same path.
 */
import type { RunningController } from "../client/controller.ts";
import { startDaemonSetController } from "./daemonSet.ts";
import { startDeploymentController } from "./deployment.ts";
import { startEndpointSliceController } from "./endpointSlice.ts";
import { startEndpointSliceMirroringController } from "./endpointSliceMirroring.ts";
import { startEndpointsController } from "./endpoints.ts";
import { type GarbageCollectorOptions, startGarbageCollector } from "./garbageCollector.ts";
import { type KubernetesServiceOptions, startKubernetesServiceController } from "./kubernetesService.ts";
import { type NamespaceControllerOptions, startNamespaceController } from "./namespace.ts";
import { type NodeIpamOptions, startNodeIpamController } from "./nodeIpam.ts";
import { startNodeLifecycleController } from "./nodeLifecycle.ts";
import { startPodGcController } from "./podGc.ts";
import { startReplicaSetController } from "./replicaSet.ts";
import { type RootCaOptions, startRootCaController } from "./rootCa.ts";
import { startServiceAccountController } from "./serviceAccount.ts";
import { type ServiceLoadBalancerOptions, startServiceLoadBalancerController } from "./serviceLoadBalancer.ts";
import { startSystemNamespacesController } from "./systemNamespaces.ts";
import { startTaintEvictionController } from "./taintEviction.ts";

/** What all of them together have to be told. */
export type ControllerSettings = RootCaOptions &
  KubernetesServiceOptions &
  ServiceLoadBalancerOptions &
  NodeIpamOptions &
  NamespaceControllerOptions &
  GarbageCollectorOptions;

/** By the names that upstream's `--controllers` knows. Those that kube-apiserver runs upstream come first. */
export const controllers = {
  "system-namespaces": startSystemNamespacesController,
  "kubernetes-service": startKubernetesServiceController,
  "namespace-controller": startNamespaceController,
  "serviceaccount-controller": startServiceAccountController,
  "root-ca-certificate-publisher-controller": startRootCaController,
  "node-ipam-controller": startNodeIpamController,
  "node-lifecycle-controller": startNodeLifecycleController,
  "taint-eviction-controller": startTaintEvictionController,
  "deployment-controller": startDeploymentController,
  "replicaset-controller": startReplicaSetController,
  "daemonset-controller": startDaemonSetController,
  "endpoints-controller": startEndpointsController,
  "endpointslice-controller": startEndpointSliceController,
  "endpointslice-mirroring-controller": startEndpointSliceMirroringController,
  "service-lb-controller": startServiceLoadBalancerController,
  "garbage-collector-controller": startGarbageCollector,
  "pod-garbage-collector-controller": startPodGcController,
} satisfies Record<string, (settings: ControllerSettings) => RunningController>;

export type ControllerName = keyof typeof controllers;

export interface ControllersOptions extends ControllerSettings {
  /** Absent: all. */
  readonly only?: readonly ControllerName[];
}

/** Starts them, and the informers that they need. `stop` resolves when none of them works any more. */
export function startControllers({ only, ...settings }: ControllersOptions): { stop(): Promise<void> } {
  const names = only ?? (Object.keys(controllers) as ControllerName[]);
  const running = names.map((name) => controllers[name](settings));
  settings.informers.start();
  return {
    async stop() {
      await Promise.all(running.map((controller) => controller.stop()));
    },
  };
}
