/** The files that ConfigMaps, Secrets, downward fields and tokens become. */
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  ProjectedVolumeSource,
  Secret,
  ServiceAccountTokenProjection,
} from "../../api/generated/core-v1.ts";
import { fieldValue, resourceFieldValue } from "../environment/fieldValues.ts";
import type { Payload, ProjectedFile } from "./atomicWriter.ts";
import { serviceAccountToken } from "./serviceAccountToken.ts";
import type { VolumeContext } from "./volumeSource.ts";

/** Source: apis/core/v1/defaults.go. */
export const DEFAULT_MODE = 0o644;

interface KeySelection {
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
  readonly mode: number;
}

type Data = Readonly<Record<string, Uint8Array | string>>;

function selected(data: Data, { items, optional, mode }: KeySelection, what: string): Payload {
  const payload = new Map<string, ProjectedFile>();
  if (items === undefined) {
    for (const [key, value] of Object.entries(data)) payload.set(key, { data: value, mode });
    return payload;
  }
  for (const { key, path, mode: ownMode } of items) {
    const value = data[key];
    if (value === undefined && optional === true) continue;
    if (value === undefined) throw new Error(`${what} references non-existent config key: ${key}`);
    payload.set(path, { data: value, mode: ownMode ?? mode });
  }
  return payload;
}

const configMapData = ({ data, binaryData }: ConfigMap): Data => ({
  ...data,
  ...Object.fromEntries(Object.entries(binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")])),
});

const secretData = ({ data }: Secret): Data =>
  Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")]));

export async function configMapPayload(
  context: VolumeContext,
  name: string,
  selection: KeySelection,
): Promise<Payload> {
  const { uid, namespace = "" } = context.pod.metadata;
  const found = await context.references.configMap(uid, namespace, name);
  if (found === undefined && selection.optional !== true) throw new Error(`configmap "${name}" not found`);
  return found === undefined ? new Map() : selected(configMapData(found), selection, "configmap");
}

export async function secretPayload(context: VolumeContext, name: string, selection: KeySelection): Promise<Payload> {
  const { uid, namespace = "" } = context.pod.metadata;
  const found = await context.references.secret(uid, namespace, name);
  if (found === undefined && selection.optional !== true) throw new Error(`secret "${name}" not found`);
  return found === undefined ? new Map() : selected(secretData(found), selection, "secret");
}

export function downwardPayload(
  { facts, allocatable, pod }: VolumeContext,
  items: readonly DownwardAPIVolumeFile[],
  defaultMode: number,
): Payload {
  const payload = new Map<string, ProjectedFile>();
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    let data = "";
    if (fieldRef !== undefined) data = fieldValue(facts, fieldRef.fieldPath);
    else if (resourceFieldRef !== undefined) {
      const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      const container = all.find(({ name }) => name === resourceFieldRef.containerName);
      if (container === undefined) throw new Error(`container ${resourceFieldRef.containerName} not found`);
      data = resourceFieldValue(container, resourceFieldRef, allocatable);
    }
    payload.set(path, { data, mode: mode ?? defaultMode });
  }
  return payload;
}

/** Whom all containers run as, if that is said and the same of all. Source: pkg/volume/util FsUserFrom. */
function commonUser({ spec }: Pod): number | undefined {
  const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const users = all.map(({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser);
  return new Set(users).size === 1 ? users[0] : undefined;
}

async function tokenPayload(context: VolumeContext, source: ServiceAccountTokenProjection, mode: number) {
  const token = await serviceAccountToken(context, source);
  // Whoever runs the container must be able to read it. Source: pkg/volume/projected, the mode of tokens.
  const { fsGroup } = context.pod.spec.securityContext ?? {};
  const runAsUser = commonUser(context.pod);
  const tokenMode = fsGroup !== undefined || runAsUser !== undefined ? 0o600 : mode;
  const file: ProjectedFile = {
    data: token,
    mode: fsGroup !== undefined ? 0o640 : tokenMode,
    ...(runAsUser !== undefined && { uid: runAsUser }),
  };
  return new Map([[source.path, file]]);
}

/** Everything that a projected volume gathers; of one path the last counts. */
export async function projectedPayload(context: VolumeContext, source: ProjectedVolumeSource): Promise<Payload> {
  const mode = source.defaultMode ?? DEFAULT_MODE;
  const parts = await Promise.all(
    (source.sources ?? []).map(({ configMap, secret, downwardAPI, serviceAccountToken: token }): Promise<Payload> => {
      if (configMap !== undefined) return configMapPayload(context, configMap.name ?? "", { ...configMap, mode });
      if (secret !== undefined) return secretPayload(context, secret.name ?? "", { ...secret, mode });
      if (token !== undefined) return tokenPayload(context, token, mode);
      if (downwardAPI === undefined)
        throw new Error("a source of the projected volume is of a kind not supported here");
      return Promise.resolve(downwardPayload(context, downwardAPI.items ?? [], mode));
    }),
  );
  return new Map(parts.flatMap((part) => [...part]));
}
