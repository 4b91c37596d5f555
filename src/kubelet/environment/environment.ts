/** The environment, command and arguments of a container. Source: kubelet_pods.go makeEnvironmentVariables. */
import type { ConfigMap, Container, EnvFromSource, EnvVar, Secret, Service } from "../../api/generated/core-v1.ts";
import { expand, expandAll } from "./expansion.ts";
import { fieldValue, type PodFacts, resourceFieldValue } from "./fieldValues.ts";
import { type EnvVariable, serviceVariables } from "./serviceVariables.ts";

export interface EnvironmentInput extends PodFacts {
  readonly container: Container;
  readonly services: readonly Service[];
  readonly allocatable: Readonly<Record<string, string>>;
  /** Objects of the pod's namespace, already read; undefined: there is none. */
  readonly configMap: (name: string) => ConfigMap | undefined;
  readonly secret: (name: string) => Secret | undefined;
}

/** What a user has to put right; the container waits as CreateContainerConfigError with this text. */
export class ContainerConfigError extends Error {
  readonly reason = "CreateContainerConfigError";
}

const secretText = (value: string): string => Buffer.from(value, "base64").toString("utf8");

const missing = (kind: "configmap" | "secret", name: string): never => {
  throw new ContainerConfigError(`${kind} "${name}" not found`);
};

function valuesFrom(input: EnvironmentInput, source: EnvFromSource): readonly EnvVariable[] {
  const prefix = source.prefix ?? "";
  if (source.configMapRef !== undefined) {
    const { name = "", optional } = source.configMapRef;
    const found = input.configMap(name) ?? (optional === true ? undefined : missing("configmap", name));
    return Object.entries(found?.data ?? {}).map(([key, value]) => ({ name: prefix + key, value }));
  }
  if (source.secretRef !== undefined) {
    const { name = "", optional } = source.secretRef;
    const found = input.secret(name) ?? (optional === true ? undefined : missing("secret", name));
    return Object.entries(found?.data ?? {}).map(([key, value]) => ({ name: prefix + key, value: secretText(value) }));
  }
  return [];
}

function configMapValue(input: EnvironmentInput, ref: { name?: string; key: string; optional?: boolean }) {
  const name = ref.name ?? "";
  const found = input.configMap(name);
  const value = found?.data?.[ref.key];
  if (value !== undefined || ref.optional === true) return value;
  if (found === undefined) return missing("configmap", name);
  throw new ContainerConfigError(`couldn't find key ${ref.key} in ConfigMap ${input.pod.metadata.namespace}/${name}`);
}

function secretValue(input: EnvironmentInput, ref: { name?: string; key: string; optional?: boolean }) {
  const name = ref.name ?? "";
  const found = input.secret(name);
  const value = found?.data?.[ref.key];
  if (value !== undefined) return secretText(value);
  if (ref.optional === true) return undefined;
  if (found === undefined) return missing("secret", name);
  throw new ContainerConfigError(`couldn't find key ${ref.key} in Secret ${input.pod.metadata.namespace}/${name}`);
}

/** Undefined: an optional reference to nothing, which leaves the variable out. */
function valueFrom(input: EnvironmentInput, { name, valueFrom: source }: EnvVar): string | undefined {
  if (source?.fieldRef !== undefined) return fieldValue(input, source.fieldRef.fieldPath);
  if (source?.resourceFieldRef !== undefined) {
    const { containerName } = source.resourceFieldRef;
    const all = [...input.pod.spec.containers, ...(input.pod.spec.initContainers ?? [])];
    const container = all.find(({ name }) => name === containerName) ?? input.container;
    return resourceFieldValue(container, source.resourceFieldRef, input.allocatable);
  }
  if (source?.configMapKeyRef !== undefined) return configMapValue(input, source.configMapKeyRef);
  if (source?.secretKeyRef !== undefined) return secretValue(input, source.secretKeyRef);
  throw new ContainerConfigError(`the source of variable ${name} is of a kind not supported here`);
}

/**
 * In the order of upstream: `envFrom`, then `env`, each of which may use what stands before it, then the services that
 * nothing above has named.
 * @throws ContainerConfigError for a reference to nothing.
 */
export function containerEnvironment(input: EnvironmentInput): readonly EnvVariable[] {
  const { container, pod } = input;
  const links = serviceVariables(input.services, pod.metadata.namespace ?? "", pod.spec.enableServiceLinks !== false);
  const serviceValues = new Map(links.map(({ name, value }) => [name, value]));
  const values = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const { name, value } of valuesFrom(input, source)) values.set(name, value);
  }
  const known = (name: string) => values.get(name) ?? serviceValues.get(name);
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom === undefined ? expand(variable.value ?? "", known) : valueFrom(input, variable);
    if (value !== undefined) values.set(variable.name, value);
  }
  for (const [name, value] of serviceValues) if (!values.has(name)) values.set(name, value);
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Source: container/helpers.go ExpandContainerCommandAndArgs. */
export function expandCommand(container: Container, environment: readonly EnvVariable[]) {
  const values = new Map(environment.map(({ name, value }) => [name, value]));
  const known = (name: string) => values.get(name);
  return { command: expandAll(container.command, known), args: expandAll(container.args, known) };
}
