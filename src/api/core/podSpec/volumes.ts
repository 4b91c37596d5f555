/** Volumes of a pod. Source: core/validation ValidateVolumes, validateVolumeSource (v1.36). */
import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalid,
  required,
  tooLong,
} from "../../../machinery/fieldErrors.ts";
import { dns1123Subdomain } from "../../../machinery/names.ts";
import { compareQuantities } from "../../../machinery/quantity.ts";
import {
  because,
  each,
  fileMode,
  needed,
  neededLabel,
  neededOneOf,
  noBacksteps,
  oneOf,
  subdomain,
} from "../../checks.ts";
import type { CSIVolumeSource, Volume } from "../../generated/core-v1.ts";
import { validateClaimTemplate } from "./claimTemplate.ts";
import { OLD_SOURCES } from "./oldVolumeSources.ts";
import { validateDownwardFile, validateKeyToPath, validateProjectedVolume } from "./projectedVolume.ts";
import type { Volumes } from "./volumeMounts.ts";

export const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
/** Source: core/validation ValidateCSIDriverName. */
const DRIVER_NAME_BYTES_MAX = 63;
/** iSCSI's session files are named after the volume and the portal. */
const ISCSI_NAME_BYTES_MAX = 64;

export interface VolumeContext {
  /** Of the pod; undefined in a template, where the names of generated claims are not known. */
  readonly podName: string | undefined;
  readonly isPod: boolean;
}

type Named = Exclude<keyof Volume, "name">;
type SourceChecks = {
  readonly [K in Named]: (source: NonNullable<Volume[K]>, path: FieldPath, context: VolumeContext) => FieldError[];
};

function csiErrors({ driver, nodePublishSecretRef }: CSIVolumeSource, path: FieldPath): FieldError[] {
  const errors = needed(path.at("driver"), driver);
  if (driver) {
    if (driver.length > DRIVER_NAME_BYTES_MAX) errors.push(tooLong(path.at("driver"), DRIVER_NAME_BYTES_MAX));
    errors.push(...because(path.at("driver"), driver, dns1123Subdomain(driver.toLowerCase())));
  }
  if (nodePublishSecretRef === undefined) return errors;
  const { name } = nodePublishSecretRef;
  return [
    ...errors,
    ...(name ? subdomain(path.at("name"), name) : [required(path.at("nodePublishSecretRef", "name"))]),
  ];
}

const SOURCES: SourceChecks = {
  ...OLD_SOURCES,
  emptyDir: ({ sizeLimit }, path) =>
    sizeLimit !== undefined && compareQuantities(sizeLimit, 0) < 0
      ? [forbiddenField(path.at("sizeLimit"), "SizeLimit field must be a valid resource quantity")]
      : [],
  hostPath: ({ path: target, type }, path) => {
    if (!target) return [required(path.at("path"))];
    return [
      ...noBacksteps(path.at("path"), target),
      ...(type === undefined ? [] : oneOf(path.at("type"), type, HOST_PATH_TYPES)),
    ];
  },
  secret: ({ secretName, defaultMode, items }, path) => [
    ...needed(path.at("secretName"), secretName),
    ...fileMode(path.at("defaultMode"), defaultMode),
    ...each(path.at("items"), items, validateKeyToPath),
  ],
  configMap: ({ name, defaultMode, items }, path) => [
    ...needed(path.at("name"), name),
    ...fileMode(path.at("defaultMode"), defaultMode),
    ...each(path.at("items"), items, validateKeyToPath),
  ],
  persistentVolumeClaim: ({ claimName }, path) => needed(path.at("claimName"), claimName),
  downwardAPI: ({ defaultMode, items = [] }, path) => [
    ...fileMode(path.at("defaultMode"), defaultMode),
    ...items.flatMap((file) => validateDownwardFile(file, path)),
  ],
  projected: validateProjectedVolume,
  csi: csiErrors,
  ephemeral: ({ volumeClaimTemplate }, path) => {
    const at = path.at("volumeClaimTemplate");
    return volumeClaimTemplate === undefined ? [required(at)] : validateClaimTemplate(volumeClaimTemplate, at);
  },
  image: ({ reference, pullPolicy }, path, { isPod }) => [
    ...(isPod ? needed(path.at("reference"), reference) : []),
    ...neededOneOf(path.at("pullPolicy"), pullPolicy, PULL_POLICIES),
  ],
};

/** Paths that upstream spells otherwise than the field. */
const OTHER_PATHS: Readonly<Record<string, string>> = { gcePersistentDisk: "persistentDisk", cephfs: "cephFS" };

/** A volume has exactly one source; of several the first one is looked at closely. */
function sourceErrors(volume: Volume, path: FieldPath, context: VolumeContext): FieldError[] {
  const given = (Object.keys(SOURCES) as Named[]).filter((name) => volume[name] !== undefined);
  const [first, ...others] = given.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  if (first === undefined) return [required(path, "must specify a volume type")];
  const check = SOURCES[first] as (source: unknown, path: FieldPath, context: VolumeContext) => FieldError[];
  return [
    ...check(volume[first], path.at(OTHER_PATHS[first] ?? first), context),
    ...others.map((name) =>
      forbiddenField(path.at(name === "cephfs" ? "cephFS" : name), "may not specify more than 1 volume type"),
    ),
  ];
}

/** The order in which upstream looks at sources. */
const ORDER: readonly string[] = (
  "emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs flocker " +
  "persistentVolumeClaim rbd cinder cephfs quobyte downwardAPI fc flexVolume configMap azureFile vsphereVolume " +
  "photonPersistentDisk portworxVolume azureDisk storageos projected scaleIO csi ephemeral image"
).split(" ");

function iscsiNameErrors({ name, iscsi }: Volume, path: FieldPath): FieldError[] {
  const tooLongTogether = iscsi?.initiatorName && `${name}:${iscsi.targetPortal}`.length > ISCSI_NAME_BYTES_MAX;
  const reason =
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
  return tooLongTogether ? [invalid(path.at("name"), name, reason)] : [];
}

/** The errors, and those volumes that containers may mount: the valid ones. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  context: VolumeContext,
  path: FieldPath,
): { readonly errors: readonly FieldError[]; readonly usable: Volumes } {
  const usable = new Map<string, Volume>();
  const generated = new Set(
    (volumes ?? []).flatMap(({ name, ephemeral }) =>
      ephemeral !== undefined && context.podName ? [`${context.podName}-${name}`] : [],
    ),
  );
  const errors = each(path, volumes, (volume, at) => {
    const found = [
      ...sourceErrors(volume, at, context),
      ...iscsiNameErrors(volume, at),
      ...neededLabel(at.at("name"), volume.name),
      ...(usable.has(volume.name) ? [duplicate(at.at("name"), volume.name)] : []),
    ];
    if (found.length === 0) usable.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && generated.has(claim)) {
      const reason = "must not reference a PVC that gets created for an ephemeral volume";
      found.push(invalid(at.at("persistentVolumeClaim", "claimName"), claim, reason));
    }
    return found;
  });
  return { errors, usable };
}
