/**
 * What a node says to load balancers that ask whether it is worth sending something: on a port for each Service with
 * `healthCheckNodePort`, and on one for the proxy itself. Source: kubernetes pkg/proxy/healthcheck. Pure.
 */
import type { Service } from "../api/generated/core-v1.ts";
import type { ServiceView } from "./ruleCache.ts";
import { candidates, serviceOfSlice } from "./rules.ts";

export interface HealthCheck {
  readonly port: number;
  readonly namespace: string;
  readonly name: string;
  /** Ready endpoints of the Service on this node. */
  readonly localEndpoints: number;
}

/** Every Service that asks for it, with its ready endpoints here. */
export function healthChecks({ services, slices }: ServiceView, nodeName: string): HealthCheck[] {
  return services.filter(isChecked).map(({ metadata, spec }) => {
    const name = `${metadata.namespace}/${metadata.name}`;
    const own = slices.filter((slice) => serviceOfSlice(slice) === name);
    const ready = (spec.ports ?? []).flatMap((port) =>
      candidates(port, own, nodeName).filter((candidate) => candidate.local && candidate.ready),
    );
    return {
      port: spec.healthCheckNodePort as number,
      namespace: metadata.namespace ?? "",
      name: metadata.name,
      localEndpoints: new Set(ready.map(({ ip }) => ip)).size,
    };
  });
}

const isChecked = ({ spec }: Service): boolean =>
  spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && (spec.healthCheckNodePort ?? 0) > 0;

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_HEADERS = { "content-type": "application/json", "x-content-type-options": "nosniff" };

/** Source: service_health.go, hcHandler. */
export function serviceHealth({ namespace, name, localEndpoints }: HealthCheck, isProxyHealthy: boolean): HealthAnswer {
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: isProxyHealthy };
  return {
    status: localEndpoints > 0 && isProxyHealthy ? 200 : 503,
    headers: { ...JSON_HEADERS, "x-load-balancing-endpoint-weight": `${localEndpoints}` },
    body: JSON.stringify(body, undefined, "\t"),
  };
}

export interface ProxyState {
  readonly isHealthy: boolean;
  readonly lastUpdatedMs: number;
  readonly nowMs: number;
}

/** Source: proxy_health.go, healthzHandler and livezHandler; what else is asked for is not there. */
export function proxyHealthAnswer(
  path: string,
  { isHealthy, lastUpdatedMs, nowMs }: ProxyState,
): HealthAnswer | undefined {
  if (path !== "/healthz" && path !== "/livez") return undefined;
  const body = {
    lastUpdated: new Date(lastUpdatedMs).toISOString(),
    currentTime: new Date(nowMs).toISOString(),
    ...(path === "/healthz" && { nodeEligible: true }),
  };
  return { status: isHealthy ? 200 : 503, headers: JSON_HEADERS, body: JSON.stringify(body) };
}
