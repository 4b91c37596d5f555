/** Defaults of volumes. Source: apis/core/v1/defaults.go and zz_generated.defaults.go. */
import type { DownwardAPIVolumeFile, HostPathVolumeSource, Volume, VolumeProjection } from "../../generated/core-v1.ts";
import { withEach, withField, withMissing, withMissingPointers } from "../../missing.ts";
import { defaultPullPolicy } from "./imageName.ts";
import { requirementsDefaults } from "./resourceDefaults.ts";

/** rw-r--r--. Source: core/v1 SecretVolumeSourceDefaultMode and its like. */
const DEFAULT_MODE = 0o644;
/** Source: SetDefaults_ServiceAccountTokenProjection. */
const TOKEN_EXPIRATION_SECONDS = 3600;

const fileDefaults = (file: DownwardAPIVolumeFile): DownwardAPIVolumeFile =>
  withField(file, "fieldRef", (ref) => withMissing(ref, { apiVersion: "v1" }));

function projectionDefaults(projection: VolumeProjection): VolumeProjection {
  const files = withField(projection, "downwardAPI", (source) => withEach(source, "items", fileDefaults));
  return withField(files, "serviceAccountToken", (token) =>
    withMissing(token, { expirationSeconds: TOKEN_EXPIRATION_SECONDS }),
  );
}

/** Sources outside the tree of today's Kubernetes, which are kept for their old manifests. */
function oldSourceDefaults(volume: Volume): Volume {
  let next = withField(volume, "iscsi", (iscsi) => withMissing(iscsi, { iscsiInterface: "default" }));
  next = withField(next, "rbd", (rbd) =>
    withMissing(rbd, { pool: "rbd", user: "admin", keyring: "/etc/ceph/keyring" }),
  );
  next = withField(next, "azureDisk", (disk) =>
    withMissingPointers(disk, { cachingMode: "ReadWrite", fsType: "ext4", readOnly: false, kind: "Shared" }),
  );
  return withField(next, "scaleIO", (scaleIO) =>
    withMissing(scaleIO, { storageMode: "ThinProvisioned", fsType: "xfs" }),
  );
}

/** The empty type means that nothing is checked; it is written, as a pointer to "" is. */
const hostPathDefaults = (source: HostPathVolumeSource): HostPathVolumeSource =>
  source.type === undefined ? { ...source, type: "" } : source;

const claimDefaults = (volume: Volume): Volume =>
  withField(volume, "ephemeral", (ephemeral) =>
    withField(ephemeral, "volumeClaimTemplate", (template) =>
      withField(template, "spec", (spec) =>
        withField(withMissingPointers(spec, { volumeMode: "Filesystem" }), "resources", requirementsDefaults),
      ),
    ),
  );

const hasSource = ({ name: _, ...sources }: Volume): boolean =>
  Object.values(sources).some((source) => source !== undefined && source !== null);

export function volumeDefaults(volume: Volume): Volume {
  if (!hasSource(volume)) return { ...volume, emptyDir: {} };
  const mode = { defaultMode: DEFAULT_MODE };
  let next = withField(volume, "hostPath", (source) => hostPathDefaults(source));
  next = withField(next, "secret", (source) => withMissing(source, mode));
  next = withField(next, "configMap", (source) => withMissing(source, mode));
  next = withField(next, "downwardAPI", (source) => withEach(withMissing(source, mode), "items", fileDefaults));
  next = withField(next, "projected", (source) => withEach(withMissing(source, mode), "sources", projectionDefaults));
  next = withField(next, "image", (source) => withMissing(source, { pullPolicy: defaultPullPolicy(source.reference) }));
  return claimDefaults(oldSourceDefaults(next));
}
