/** Defaults of a container, in a pod or in a template. Source: apis/core/v1/defaults.go and zz_generated.defaults.go. */
import type { Container, EnvVar, HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from "../../generated/core-v1.ts";
import { withEach, withField, withMissing, withMissingOrZero } from "../../missing.ts";
import { defaultPullPolicy } from "./imageName.ts";
import { requirementsDefaults } from "./resourceDefaults.ts";

const httpGetDefaults = (action: HTTPGetAction): HTTPGetAction => withMissing(action, { path: "/", scheme: "HTTP" });

function probeDefaults(probe: Probe): Probe {
  const timed = withMissingOrZero(probe, {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  const http = withField(timed, "httpGet", httpGetDefaults);
  return withField(http, "grpc", (grpc) => withMissing(grpc, { service: "" }));
}

const handlerDefaults = (handler: LifecycleHandler): LifecycleHandler => withField(handler, "httpGet", httpGetDefaults);

const lifecycleDefaults = (lifecycle: Lifecycle): Lifecycle =>
  withField(withField(lifecycle, "postStart", handlerDefaults), "preStop", handlerDefaults);

const envDefaults = (variable: EnvVar): EnvVar =>
  withField(variable, "valueFrom", (source) => {
    const field = withField(source, "fieldRef", (ref) => withMissing(ref, { apiVersion: "v1" }));
    return withField(field, "fileKeyRef", (ref) => withMissing(ref, { optional: false }));
  });

const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

/** Takes ephemeral containers too. */
export function containerDefaults<C extends Container>(container: C): C {
  let next: Container = withMissing<Container>(container, {
    imagePullPolicy: defaultPullPolicy(container.image),
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  });
  next = withEach(next, "ports", (port) => withMissing(port, { protocol: "TCP" }));
  next = withEach(next, "env", envDefaults);
  next = withField(next, "resources", requirementsDefaults);
  for (const name of PROBES) next = withField(next, name, probeDefaults);
  next = withField(next, "lifecycle", lifecycleDefaults);
  return next as C;
}
