/** Volume sources of single vendors, most of which Kubernetes itself no longer mounts. Source: core/validation. */
import { type FieldError, type FieldPath, invalid, notSupported, required } from "../../../machinery/fieldErrors.ts";
import { inclusiveRangeError } from "../../../machinery/names.ts";
import { descendingPath, label, needed, optionalOneOf } from "../../checks.ts";
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  StorageOSVolumeSource,
  Volume,
} from "../../generated/core-v1.ts";

export type SourceCheck<S> = (source: S, path: FieldPath) => FieldError[];

const allNeeded =
  <S extends object>(...fields: (keyof S & string)[]): SourceCheck<S> =>
  (source, path) =>
    fields.flatMap((field) => needed(path.at(field), source[field]));

const HOST_PORTS = "must be a host:port pair or multiple pairs separated by commas";
const MANAGED_DISK = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const BLOB_DISK = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

const partition = (path: FieldPath, value: number | undefined): FieldError[] =>
  (value ?? 0) < 0 || (value ?? 0) > 255 ? [invalid(path, value, inclusiveRangeError(1, 255))] : [];
const unit = (path: FieldPath, value: number): FieldError[] =>
  value < 0 || value > 255 ? [invalid(path, value, inclusiveRangeError(0, 255))] : [];

const INITIATOR = {
  iqn: /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[a-zA-Z0-9]{16}$/,
  naa: /^naa.[a-zA-Z0-9]{32}$/,
};

function initiator(path: FieldPath, value: string): FieldError[] {
  const kind = (["iqn", "eui", "naa"] as const).find((prefix) => value.startsWith(prefix));
  if (kind === undefined) return [invalid(path, value, "must be valid format starting with iqn, eui, or naa")];
  return INITIATOR[kind].test(value) ? [] : [invalid(path, value, "must be valid format")];
}

const iscsi: SourceCheck<ISCSIVolumeSource> = (source, path) => {
  const { targetPortal, iqn, lun = 0, initiatorName, secretRef } = source;
  const errors = needed(path.at("targetPortal"), targetPortal);
  errors.push(...(iqn ? initiator(path.at("iqn"), iqn) : [required(path.at("iqn"))]), ...unit(path.at("lun"), lun));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !secretRef) errors.push(required(path.at("secretRef")));
  return initiatorName === undefined ? errors : [...errors, ...initiator(path.at("initiatorname"), initiatorName)];
};

const fc: SourceCheck<FCVolumeSource> = ({ targetWWNs = [], wwids = [], lun }, path) => {
  const at = path.at("targetWWNs");
  const errors: FieldError[] = [];
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(at, "must specify either targetWWNs or wwids, but not both"));
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    errors.push(invalid(at, targetWWNs, "targetWWNs and wwids can not be specified simultaneously"));
  }
  if (targetWWNs.length === 0) return errors;
  if (lun === undefined) errors.push(required(path.at("lun"), "lun is required if targetWWNs is specified"));
  else errors.push(...unit(path.at("lun"), lun));
  return errors;
};

const nfs: SourceCheck<NFSVolumeSource> = ({ server, path: exported = "" }, path) => [
  ...needed(path.at("server"), server),
  ...needed(path.at("path"), exported),
  ...(exported.startsWith("/") ? [] : [invalid(path.at("path"), exported, "must be an absolute path")]),
];

const flocker: SourceCheck<FlockerVolumeSource> = ({ datasetName, datasetUUID }, path) => {
  const errors: FieldError[] = [];
  if (!datasetName && !datasetUUID) errors.push(required(path, "one of datasetName and datasetUUID is required"));
  if (datasetName && datasetUUID) {
    errors.push(invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
  }
  if (datasetName?.includes("/")) errors.push(invalid(path.at("datasetName"), datasetName, "must not contain '/'"));
  return errors;
};

const quobyte: SourceCheck<QuobyteVolumeSource> = ({ registry, tenant = "", volume }, path) => {
  const errors: FieldError[] = [];
  if (!registry) errors.push(required(path.at("registry"), HOST_PORTS));
  else if (tenant.length >= 65) {
    errors.push(required(path.at("tenant"), "must be a UUID and may not exceed a length of 64 characters"));
  } else if (!registry.split(",").every((pair) => /^[^:]*:[^:]*$|^\[[^\]]*\]:[^:]*$/.test(pair))) {
    errors.push(invalid(path.at("registry"), registry, HOST_PORTS));
  }
  return [...errors, ...needed(path.at("volume"), volume)];
};

const flexVolume: SourceCheck<FlexVolumeSource> = ({ driver, options = {} }, path) => [
  ...needed(path.at("driver"), driver),
  ...Object.keys(options).flatMap((key) => {
    const namespace = `.${(key.split("/", 1)[0] ?? "").toLowerCase()}`;
    if (!namespace.endsWith(".kubernetes.io") && !namespace.endsWith(".k8s.io")) return [];
    return [invalid(path.at("options").key(key), key, "kubernetes.io and k8s.io namespaces are reserved")];
  }),
];

const azureDisk: SourceCheck<AzureDiskVolumeSource> = ({ diskName, diskURI = "", cachingMode, kind }, path) => {
  const errors = [
    ...needed(path.at("diskName"), diskName),
    ...needed(path.at("diskURI"), diskURI),
    ...optionalOneOf(path.at("cachingMode"), cachingMode, ["None", "ReadOnly", "ReadWrite"]),
    ...optionalOneOf(path.at("kind"), kind, ["Dedicated", "Managed", "Shared"]),
  ];
  if (kind === "Managed" && !diskURI.startsWith("/subscriptions/")) {
    errors.push(notSupported(path.at("diskURI"), diskURI, [MANAGED_DISK]));
  }
  if (kind !== undefined && kind !== "Managed" && !diskURI.startsWith("https://")) {
    errors.push(notSupported(path.at("diskURI"), diskURI, [BLOB_DISK]));
  }
  return errors;
};

const storageos: SourceCheck<StorageOSVolumeSource> = ({ volumeName, volumeNamespace, secretRef }, path) => [
  ...(volumeName ? label(path.at("volumeName"), volumeName) : [required(path.at("volumeName"))]),
  ...(volumeNamespace ? label(path.at("volumeNamespace"), volumeNamespace) : []),
  ...(secretRef ? needed(path.at("secretRef", "name"), secretRef.name) : []),
];

interface Secreted {
  readonly volumeID: string;
  readonly secretRef?: { readonly name?: string };
}

type OldName = Exclude<
  keyof Volume,
  | "name"
  | "emptyDir"
  | "hostPath"
  | "secret"
  | "configMap"
  | "persistentVolumeClaim"
  | "downwardAPI"
  | "projected"
  | "csi"
  | "ephemeral"
  | "image"
>;

/** By the name of the field of a volume. */
export const OLD_SOURCES: { readonly [K in OldName]: SourceCheck<NonNullable<Volume[K]>> } = {
  gitRepo: (source: { repository: string; directory?: string }, path: FieldPath) => [
    ...needed(path.at("repository"), source.repository),
    ...descendingPath(path.at("directory"), source.directory ?? ""),
  ],
  gcePersistentDisk: (source: { pdName: string; partition?: number }, path: FieldPath) => [
    ...needed(path.at("pdName"), source.pdName),
    ...partition(path.at("partition"), source.partition),
  ],
  awsElasticBlockStore: (source: { volumeID: string; partition?: number }, path: FieldPath) => [
    ...needed(path.at("volumeID"), source.volumeID),
    ...partition(path.at("partition"), source.partition),
  ],
  nfs,
  iscsi,
  glusterfs: allNeeded("endpoints", "path"),
  flocker,
  rbd: allNeeded("monitors", "image"),
  cinder: ({ volumeID, secretRef }: Secreted, path: FieldPath) => [
    ...needed(path.at("volumeID"), volumeID),
    ...(secretRef ? needed(path.at("secretRef", "name"), secretRef.name) : []),
  ],
  cephfs: allNeeded("monitors"),
  quobyte,
  fc,
  flexVolume,
  azureFile: allNeeded("secretName", "shareName"),
  vsphereVolume: allNeeded("volumePath"),
  photonPersistentDisk: allNeeded("pdID"),
  portworxVolume: allNeeded("volumeID"),
  azureDisk,
  storageos,
  scaleIO: allNeeded("gateway", "system", "volumeName"),
};
