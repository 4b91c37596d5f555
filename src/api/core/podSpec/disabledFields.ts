/**
 * Fields behind feature gates that are off by default are dropped, as if they had not been sent: stop signals, trust
 * bundles and pod certificates in volumes, scheduling groups. Source: api/pod DropDisabledPodFields (v1.36).
 */
import type { Container, PodSpec, PodTemplateSpec, VolumeProjection } from "../../generated/core-v1.ts";
import { withEach, withField } from "../../missing.ts";

function withoutKey<T extends object>(object: T, key: keyof T): T {
  if (object[key] === undefined) return object;
  const { [key]: _, ...rest } = object;
  return rest as T;
}

const dropStopSignal = <C extends Container>(container: C): C =>
  withField(container, "lifecycle", (lifecycle) => withoutKey(lifecycle, "stopSignal") as C["lifecycle"]);

const dropSources = (source: VolumeProjection): VolumeProjection =>
  withoutKey(withoutKey(source, "clusterTrustBundle"), "podCertificate");

export function dropDisabledFields(spec: PodSpec): PodSpec {
  let next = withoutKey(spec, "schedulingGroup");
  next = withEach(next, "containers", dropStopSignal);
  next = withEach(next, "initContainers", dropStopSignal);
  return withEach(next, "volumes", (volume) =>
    withField(volume, "projected", (projected) => withEach(projected, "sources", dropSources)),
  );
}

export const dropDisabledTemplateFields = (template: PodTemplateSpec): PodTemplateSpec =>
  withField(template, "spec", dropDisabledFields);
