/** What a pod names: Secrets and ConfigMaps. Source: kubernetes pkg/api/v1/pod VisitPodSecretNames, VisitPodConfigmapNames. */
import type { Container, Pod, Volume } from "../../api/generated/core-v1.ts";

export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
}

const known = new WeakMap<object, PodReferences>();

export function podReferences(pod: Pod): PodReferences {
  const { spec } = pod;
  if (spec === undefined) return { secrets: new Set(), configMaps: new Set() };
  const found = known.get(spec);
  if (found !== undefined) return found;
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  for (const { name } of spec.imagePullSecrets ?? []) if (name !== undefined) secrets.add(name);
  for (const container of [...(spec.initContainers ?? []), ...spec.containers])
    visitContainer(container, secrets, configMaps);
  for (const volume of spec.volumes ?? []) visitVolume(volume, secrets, configMaps);
  const references = { secrets, configMaps };
  known.set(spec, references);
  return references;
}

function visitContainer({ env, envFrom }: Container, secrets: Set<string>, configMaps: Set<string>): void {
  for (const { secretRef, configMapRef } of envFrom ?? []) {
    addName(secrets, secretRef?.name);
    addName(configMaps, configMapRef?.name);
  }
  for (const { valueFrom } of env ?? []) {
    addName(secrets, valueFrom?.secretKeyRef?.name);
    addName(configMaps, valueFrom?.configMapKeyRef?.name);
  }
}

function visitVolume({ secret, configMap, projected }: Volume, secrets: Set<string>, configMaps: Set<string>): void {
  addName(secrets, secret?.secretName);
  addName(configMaps, configMap?.name);
  for (const source of projected?.sources ?? []) {
    addName(secrets, source.secret?.name);
    addName(configMaps, source.configMap?.name);
  }
}

function addName(names: Set<string>, name: string | undefined): void {
  if (name !== undefined && name !== "") names.add(name);
}
