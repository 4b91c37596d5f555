/** Source: apis/core/v1/defaults.go, SetDefaults_Service. */
import type { Service, ServicePort, ServiceSpec } from "../generated/core-v1.ts";
import { withEach, withField, withMissing, withMissingPointers } from "../missing.ts";

/** Three hours. Source: core/v1 DefaultClientIPServiceAffinitySeconds. */
const CLIENT_IP_AFFINITY_SECONDS = 10_800;

const portDefaults = (port: ServicePort): ServicePort => {
  const named = withMissing(port, { protocol: "TCP" });
  return named.targetPort ? named : { ...named, targetPort: port.port };
};

/** Whether it can be reached from outside the cluster. Source: pkg/api/service ExternallyAccessible. */
export const isExternallyAccessible = (spec: ServiceSpec): boolean =>
  spec.type === "LoadBalancer" ||
  spec.type === "NodePort" ||
  (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);

function affinityDefaults(spec: ServiceSpec): ServiceSpec {
  if (spec.sessionAffinity === "None" && spec.sessionAffinityConfig !== undefined) {
    return { ...spec, sessionAffinityConfig: undefined };
  }
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity !== "ClientIP" || timeout !== undefined) return spec;
  return { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: CLIENT_IP_AFFINITY_SECONDS } } };
}

function specDefaults(given: ServiceSpec): ServiceSpec {
  let spec = affinityDefaults(withMissing(given, { sessionAffinity: "None", type: "ClusterIP" }));
  spec = withEach(spec, "ports", portDefaults);
  if (isExternallyAccessible(spec)) spec = withMissing(spec, { externalTrafficPolicy: "Cluster" });
  if (spec.type !== "ExternalName") spec = withMissingPointers(spec, { internalTrafficPolicy: "Cluster" });
  if (spec.type === "LoadBalancer") spec = withMissing(spec, { allocateLoadBalancerNodePorts: true });
  return spec;
}

export function serviceDefaults(service: Service): Service {
  const next = withField(service, "spec", specDefaults);
  if (next.spec?.type !== "LoadBalancer") return next;
  return withField(next, "status", (status) =>
    withField(status, "loadBalancer", (balancer) =>
      withEach(balancer, "ingress", (ingress) =>
        ingress.ip ? withMissingPointers(ingress, { ipMode: "VIP" }) : ingress,
      ),
    ),
  );
}
