/** Volumes made of several sources. Source: core/validation validateProjectionSources (v1.36). */
import { type FieldError, type FieldPath, forbiddenField, invalid, required } from "../../../machinery/fieldErrors.ts";
import { validateLabelSelector } from "../../../machinery/labelSelector.ts";
import { dns1123Subdomain } from "../../../machinery/names.ts";
import { because, each, fileMode, needed, nonReservedPath, oneOf, seenBefore } from "../../checks.ts";
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "../../generated/core-v1.ts";
import { VOLUME_FIELDS, validateFieldReference, validateResourceReference } from "./fieldReferences.ts";

const CONFLICT = "conflicting duplicate paths";
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const KEY_TYPES = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
/** Source: apis/certificates MaxMaxExpirationSeconds, KubernetesMaxMaxExpirationSeconds, MinMaxExpirationSeconds. */
const CERTIFICATE_SECONDS_MAX = 91 * 24 * 3600;
const KUBERNETES_CERTIFICATE_SECONDS_MAX = 24 * 3600;
const CERTIFICATE_SECONDS_MIN = 3600;

export const validateKeyToPath = ({ key, path: target = "", mode }: KeyToPath, path: FieldPath): FieldError[] => [
  ...needed(path.at("key"), key),
  ...needed(path.at("path"), target),
  ...nonReservedPath(path.at("path"), target),
  ...fileMode(path.at("mode"), mode),
];

export function validateDownwardFile(file: DownwardAPIVolumeFile, path: FieldPath): FieldError[] {
  const { path: target = "", fieldRef, resourceFieldRef, mode } = file;
  const errors = [...needed(path.at("path"), target), ...nonReservedPath(path.at("path"), target)];
  if (fieldRef !== undefined) {
    errors.push(...validateFieldReference(fieldRef, VOLUME_FIELDS, path.at("fieldRef")));
    if (resourceFieldRef !== undefined) {
      errors.push(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
    }
  } else if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceReference(resourceFieldRef, { inVolume: true }, path.at("resourceFieldRef")));
  } else errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  return [...errors, ...fileMode(path.at("mode"), mode)];
}

/** Upstream names the volume's `path`, not the source's. */
function tokenErrors(token: ServiceAccountTokenProjection, path: FieldPath, volume: FieldPath): FieldError[] {
  const { expirationSeconds: seconds = 0, path: target } = token;
  const at = path.at("expirationSeconds");
  const errors: FieldError[] = [];
  if (seconds < TOKEN_SECONDS_MIN) {
    errors.push(invalid(at, seconds, "may not specify a duration less than 10 minutes"));
  }
  if (seconds > TOKEN_SECONDS_MAX) {
    errors.push(invalid(at, seconds, "may not specify a duration larger than 2^32 seconds"));
  }
  return [...errors, ...(target ? nonReservedPath(volume.at("path"), target) : [required(volume.at("path"))])];
}

/** "example.com/name". Source: core/validation ValidateSignerName. */
function signerNameErrors(path: FieldPath, name: string): FieldError[] {
  if (name === "") return [required(path)];
  const [domain = "", signerPath, ...rest] = name.split("/");
  if (signerPath === undefined || rest.length > 0) {
    return [invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  }
  const errors = because(
    path,
    domain,
    dns1123Subdomain(domain).map((reason) => `validating label "${domain}": ${reason}`),
  );
  if (domain.split(".").length < 2) {
    errors.push(invalid(path, name, "should be a domain with at least two segments separated by dots"));
  }
  if (signerPath === "") {
    errors.push(invalid(path, signerPath, 'validating label "": must not be empty'));
  } else errors.push(...because(path, signerPath, dns1123Subdomain(signerPath)));
  return errors;
}

function trustBundleErrors(bundle: ClusterTrustBundleProjection, path: FieldPath): FieldError[] {
  const { name, signerName, labelSelector, path: target = "" } = bundle;
  const errors: FieldError[] = [];
  if (name !== undefined && signerName !== undefined) {
    errors.push(invalid(path, bundle, "only one of name and signerName may be used"));
  } else if (name !== undefined) {
    if (name === "") errors.push(required(path.at("name"), "must be a valid object name"));
    const plain = name.slice(name.lastIndexOf(":") + 1);
    const reasons = dns1123Subdomain(plain).map((reason) => `not a valid clustertrustbundlename: ${reason}`);
    errors.push(...because(path.at("name"), name, reasons));
    if (labelSelector !== undefined) {
      errors.push(invalid(path.at("labelSelector"), labelSelector, "labelSelector must be unset if name is specified"));
    }
  } else if (signerName !== undefined) {
    if (signerName === "") errors.push(required(path.at("signerName"), "must be a valid signer name"));
    errors.push(...signerNameErrors(path.at("signerName"), signerName));
    errors.push(...validateLabelSelector(labelSelector, path.at("labelSelector")));
  } else errors.push(required(path, "either name or signerName must be specified"));
  return [...errors, ...needed(path.at("path"), target), ...nonReservedPath(path.at("path"), target)];
}

const certificatePaths = (certificate: PodCertificateProjection) =>
  (["credentialBundlePath", "keyPath", "certificateChainPath"] as const).flatMap((field) =>
    certificate[field] ? [{ field, target: certificate[field] }] : [],
  );

function certificateErrors(certificate: PodCertificateProjection, path: FieldPath): FieldError[] {
  const { signerName = "", keyType = "", maxExpirationSeconds: seconds } = certificate;
  const errors = [
    ...signerNameErrors(path.at("signerName"), signerName),
    ...oneOf(path.at("keyType"), keyType, KEY_TYPES),
  ];
  const at = path.at("maxExpirationSeconds");
  const most = /(^|\.)kubernetes\.io\//.test(signerName) ? KUBERNETES_CERTIFICATE_SECONDS_MAX : CERTIFICATE_SECONDS_MAX;
  if (seconds !== undefined && seconds < CERTIFICATE_SECONDS_MIN) {
    errors.push(invalid(at, seconds, `if provided, maxExpirationSeconds must be >= ${CERTIFICATE_SECONDS_MIN}`));
  }
  if (seconds !== undefined && seconds > most) {
    errors.push(invalid(at, seconds, `if provided, maxExpirationSeconds must be <= ${most}`));
  }
  const paths = certificatePaths(certificate);
  if (paths.length === 0) {
    errors.push(required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"));
  }
  return [...errors, ...paths.flatMap(({ field, target }) => nonReservedPath(path.at(field), target))];
}

function sourceErrors(source: VolumeProjection, at: FieldPath, volume: FieldPath): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
  const errors: FieldError[] = [];
  for (const [field, named] of [["secret", secret] as const, ["configMap", configMap] as const]) {
    if (named === undefined) continue;
    errors.push(...needed(at.at(field, "name"), named.name));
    errors.push(...each(at.at(field, "items"), named.items, validateKeyToPath));
  }
  for (const file of downwardAPI?.items ?? []) errors.push(...validateDownwardFile(file, at.at("downwardAPI")));
  if (serviceAccountToken) errors.push(...tokenErrors(serviceAccountToken, at.at("serviceAccountToken"), volume));
  if (clusterTrustBundle) errors.push(...trustBundleErrors(clusterTrustBundle, at.at("clusterTrustBundle")));
  if (podCertificate) errors.push(...certificateErrors(podCertificate, at.at("podCertificate")));
  if (Object.values(source).filter((part) => part !== undefined).length > 1) {
    errors.push(forbiddenField(at, "may not specify more than 1 volume type per source"));
  }
  return errors;
}

/** Every file that a source makes, with what an error about it shows. Tokens are not compared upstream. */
function filesOf({ secret, configMap, downwardAPI, clusterTrustBundle, podCertificate }: VolumeProjection) {
  const files: { target: string; shown: string }[] = [];
  for (const named of [secret, configMap]) {
    for (const { path } of named?.items ?? []) files.push({ target: path, shown: named?.name ?? "" });
  }
  for (const { path } of downwardAPI?.items ?? []) files.push({ target: path, shown: path });
  if (clusterTrustBundle) files.push({ target: clusterTrustBundle.path, shown: clusterTrustBundle.path });
  for (const { target } of podCertificate ? certificatePaths(podCertificate) : [])
    files.push({ target, shown: target });
  return files.filter(({ target }) => target);
}

export function validateProjectedVolume(
  { sources, defaultMode }: ProjectedVolumeSource,
  path: FieldPath,
): FieldError[] {
  const targets = new Set<string>();
  return [
    ...fileMode(path.at("defaultMode"), defaultMode),
    ...each(path.at("sources"), sources, (source, at) => [
      ...sourceErrors(source, at, path),
      ...filesOf(source).flatMap(({ target, shown }) =>
        seenBefore(targets, target) ? [invalid(path, shown, CONFLICT)] : [],
      ),
    ]),
  ];
}
