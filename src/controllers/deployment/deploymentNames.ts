/** Annotations, reasons and conditions of Deployments. Source: pkg/controller/deployment/util/deployment_util.go. */
export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";
export const TEMPLATE_HASH = "pod-template-hash";
/** These are the Deployment's own and are not copied to its sets. Source: annotationsToSkip. */
export const NOT_COPIED: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);
/** Characters of the revision history. Source: deployment/sync.go, maxRevHistoryLengthInChars. */
export const REVISION_HISTORY_CHARACTERS_MAX = 2000;
