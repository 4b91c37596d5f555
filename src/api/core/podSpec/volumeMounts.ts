/** Where a container sees volumes. Source: core/validation ValidateVolumeMounts, ValidateVolumeDevices (v1.36). */
import {
  type FieldError,
  type FieldPath,
  fieldNotFound,
  forbiddenField,
  invalid,
} from "../../../machinery/fieldErrors.ts";
import { descendingPath, each, needed, oneOf, seenBefore } from "../../checks.ts";
import type { Container, Volume, VolumeMount } from "../../generated/core-v1.ts";

const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY = ["Disabled", "Enabled", "IfPossible"];

export type Volumes = ReadonlyMap<string, Volume>;
type Mounting = Pick<Container, "volumeMounts" | "volumeDevices" | "securityContext">;

function propagationErrors({ mountPropagation }: VolumeMount, container: Mounting, path: FieldPath): FieldError[] {
  if (mountPropagation === undefined) return [];
  const errors = oneOf(path, mountPropagation, PROPAGATIONS);
  if (mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
    errors.push(forbiddenField(path, "Bidirectional mount propagation is available only to privileged containers"));
  }
  return errors;
}

function recursiveErrors(mount: VolumeMount, path: FieldPath): FieldError[] {
  const { recursiveReadOnly, readOnly, mountPropagation } = mount;
  if (recursiveReadOnly === undefined || recursiveReadOnly === "Disabled") return [];
  if (!RECURSIVE_READ_ONLY.includes(recursiveReadOnly)) return oneOf(path, recursiveReadOnly, RECURSIVE_READ_ONLY);
  const errors: FieldError[] = [];
  if (readOnly !== true) errors.push(forbiddenField(path, "may only be specified when readOnly is true"));
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    errors.push(forbiddenField(path, "may only be specified when mountPropagation is None or not specified"));
  }
  return errors;
}

/** Errors below a mount carry no index upstream; kept so. */
function subPathErrors({ subPath, subPathExpr }: VolumeMount, at: FieldPath, path: FieldPath): FieldError[] {
  const errors = subPath ? descendingPath(path.at("subPath"), subPath) : [];
  if (!subPathExpr) return errors;
  if (subPath) {
    const reason = "subPathExpr and subPath are mutually exclusive";
    errors.push(invalid(at.at("subPathExpr"), subPathExpr, reason));
  }
  return [...errors, ...descendingPath(path.at("subPathExpr"), subPathExpr)];
}

export function validateVolumeMounts(container: Mounting, volumes: Volumes, path: FieldPath): FieldError[] {
  const paths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  return each(path, container.volumeMounts, (mount, at) => {
    const { name, mountPath } = mount;
    const errors = needed(at.at("name"), name);
    if (!volumes.has(name)) errors.push(fieldNotFound(at.at("name"), name ?? ""));
    errors.push(...needed(at.at("mountPath"), mountPath));
    if (seenBefore(paths, mountPath)) errors.push(invalid(at.at("mountPath"), mountPath, "must be unique"));
    if (devices.some((device) => device.name === name)) {
      errors.push(invalid(at.at("name"), name, "must not already exist in volumeDevices"));
    }
    if (devices.some(({ devicePath }) => devicePath === mountPath)) {
      errors.push(invalid(at.at("mountPath"), mountPath, "must not already exist as a path in volumeDevices"));
    }
    return [
      ...errors,
      ...subPathErrors(mount, at, path),
      ...propagationErrors(mount, container, path.at("mountPropagation")),
      ...recursiveErrors(mount, path.at("recursiveReadOnly")),
    ];
  });
}

const BLOCK_ONLY = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";

export function validateVolumeDevices(container: Mounting, volumes: Volumes, path: FieldPath): FieldError[] {
  const paths = new Set<string>();
  const names = new Set<string>();
  const mounts = container.volumeMounts ?? [];
  return each(path, container.volumeDevices, ({ name, devicePath }, at) => {
    const volume = volumes.get(name);
    const errors = needed(at.at("name"), name);
    if (name && seenBefore(names, name)) errors.push(invalid(at.at("name"), name, "must be unique"));
    if (volume === undefined) errors.push(fieldNotFound(at.at("name"), name ?? ""));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) errors.push(invalid(at.at("name"), name, BLOCK_ONLY));
    errors.push(...needed(at.at("devicePath"), devicePath));
    if (paths.has(devicePath)) errors.push(invalid(at.at("devicePath"), devicePath, "must be unique"));
    if (devicePath?.split("/").includes("..")) {
      errors.push(invalid(at.at("devicePath"), devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      errors.push(invalid(at.at("name"), name, "must not already exist in volumeMounts"));
    }
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) {
      errors.push(invalid(at.at("devicePath"), devicePath, "must not already exist as a path in volumeMounts"));
    }
    return errors;
  });
}
