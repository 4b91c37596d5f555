import type { ConfigMap, Container, Pod, Secret } from "../api/generated/core-v1.ts";
import type { References } from "./references.ts";

const namesOf = (container: Container, of: "configMap" | "secret"): readonly string[] => {
  const fromEnv = (container.env ?? []).map(({ valueFrom }) =>
    of === "configMap" ? valueFrom?.configMapKeyRef?.name : valueFrom?.secretKeyRef?.name,
  );
  const fromAll = (container.envFrom ?? []).map(({ configMapRef, secretRef }) =>
    of === "configMap" ? configMapRef?.name : secretRef?.name,
  );
  return [...new Set([...fromEnv, ...fromAll].filter((name) => name !== undefined))];
};

/** Reads beforehand what the environment of a container refers to, so that building it is pure. */
export async function readEnvironmentSources(references: References, pod: Pod, container: Container) {
  const { uid, namespace = "" } = pod.metadata;
  const configMaps = new Map<string, ConfigMap>();
  const secrets = new Map<string, Secret>();
  await Promise.all([
    ...namesOf(container, "configMap").map(async (name) => {
      const found = await references.configMap(uid, namespace, name);
      if (found !== undefined) configMaps.set(name, found);
    }),
    ...namesOf(container, "secret").map(async (name) => {
      const found = await references.secret(uid, namespace, name);
      if (found !== undefined) secrets.set(name, found);
    }),
  ]);
  return {
    configMap: (name: string) => configMaps.get(name),
    secret: (name: string) => secrets.get(name),
  };
}
