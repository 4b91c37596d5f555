/** Files of one volume of which one would be the other's directory. Source: warningsForOverlappingVirtualPaths. */
import type { PodSpec, Volume, VolumeProjection } from "../../generated/core-v1.ts";

interface Placed {
  readonly path: string;
  /** Where it comes from, for a volume of several sources; else "". */
  readonly source: string;
}

const quote = (text: string): string => JSON.stringify(text);
const text = ({ path, source }: Placed): string => (source === "" ? quote(path) : `${quote(path)} (${source})`);

const placed = (items: readonly { readonly path: string }[] | undefined, source: string): Placed[] =>
  (items ?? []).map(({ path }) => ({ path, source }));

const isWithin = (inner: string, outer: string): boolean => `${inner}/`.startsWith(`${outer}/`);

/** "x with y" for each pair, the later one first. */
function overlaps(all: readonly Placed[]): string[] {
  const trimmed = all.map(({ path, source }) => ({ path: path.replace(/\/+$/, ""), source }));
  return trimmed.flatMap((one, index) =>
    trimmed
      .slice(0, index)
      .filter(({ path }) => one.path !== "" && path !== "" && (isWithin(path, one.path) || isWithin(one.path, path)))
      .map((other) => `${text(one)} with ${text(other)}`),
  );
}

function projected(source: VolumeProjection): Placed[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle: bundle, podCertificate } = source;
  if (configMap?.items) return placed(configMap.items, `ConfigMap ${quote(configMap.name ?? "")}`);
  if (secret?.items) return placed(secret.items, `Secret ${quote(secret.name ?? "")}`);
  if (downwardAPI?.items) return placed(downwardAPI.items, "DownwardAPI");
  if (serviceAccountToken) return placed([serviceAccountToken], "ServiceAccountToken");
  if (bundle) return placed([bundle], `ClusterTrustBundle ${quote(bundle.name ?? bundle.signerName ?? "")}`);
  const { certificateChainPath, keyPath, credentialBundlePath } = podCertificate ?? {};
  return [
    { path: certificateChainPath ?? "", source: "PodCertificate chain" },
    { path: keyPath ?? "", source: "PodCertificate key" },
    { path: credentialBundlePath ?? "", source: "PodCertificate credential bundle" },
  ].filter(({ path }) => path !== "");
}

function volumeWarnings({ name, configMap, secret, downwardAPI, projected: projection }: Volume): string[] {
  const say = (what: string, found: readonly string[]) =>
    found.map((pair) => `volume ${quote(name)} (${what}): overlapping paths: ${pair}`);
  const sources = projection?.sources ?? [];
  return [
    ...say(`ConfigMap ${quote(configMap?.name ?? "")}`, overlaps(placed(configMap?.items, ""))),
    ...say(`Secret ${quote(secret?.secretName ?? "")}`, overlaps(placed(secret?.items, ""))),
    ...say("DownwardAPI", overlaps(placed(downwardAPI?.items, ""))),
    ...sources
      .filter((source) => Object.keys(source).length === 0)
      .map(() => `volume ${quote(name)} (Projected) has no sources provided`),
    ...say("Projected", overlaps(sources.flatMap(projected))),
  ];
}

export const overlappingPathWarnings = ({ volumes }: PodSpec): string[] => (volumes ?? []).flatMap(volumeWarnings);
