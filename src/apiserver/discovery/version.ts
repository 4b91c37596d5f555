/** The Kubernetes level that we are at, as `kubectl version` shows it. */
export const KUBERNETES_MAJOR = "1";
export const KUBERNETES_MINOR = "36";
export const GIT_VERSION = "v1.36.3+skiff.1";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

/** Source: apimachinery version.Info. */
export const versionInfo = {
  major: KUBERNETES_MAJOR,
  minor: KUBERNETES_MINOR,
  emulationMajor: KUBERNETES_MAJOR,
  emulationMinor: KUBERNETES_MINOR,
  minCompatibilityMajor: KUBERNETES_MAJOR,
  minCompatibilityMinor: "35",
  gitVersion: GIT_VERSION,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: `node ${process.version}`,
  compiler: "node",
  platform: `${process.platform}/${ARCHITECTURES[process.arch] ?? process.arch}`,
};
