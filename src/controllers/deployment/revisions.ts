/** Numbers of revisions, and which set is the new one. Source: pkg/controller/deployment/util/deployment_util.go. */
import type { Deployment, ReplicaSet } from "../../api/generated/apps-v1.ts";
import { NOT_COPIED, REVISION, REVISION_HISTORY, REVISION_HISTORY_CHARACTERS_MAX } from "./deploymentNames.ts";
import { templatesEqual } from "./podTemplateHash.ts";

export function revisionOf(annotations: Readonly<Record<string, string>> | undefined): number {
  const revision = Number.parseInt(annotations?.[REVISION] ?? "0", 10);
  return Number.isNaN(revision) ? 0 : revision;
}

export const byCreation = (a: ReplicaSet, b: ReplicaSet): number =>
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

/** The oldest whose template is the Deployment's: rolling back finds the set of then. Source: FindNewReplicaSet. */
export const findNewSet = (deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined =>
  sets.toSorted(byCreation).find((set) => templatesEqual(set.spec.template, deployment.spec.template));

/**
 * The annotations of the new set: the Deployment's, its revision, and which revisions it was before.
 * The same object where nothing changes. Source: SetNewReplicaSetAnnotations.
 */
export function newSetAnnotations(
  deployment: Deployment,
  present: Readonly<Record<string, string>>,
  revision: number,
): Readonly<Record<string, string>> {
  const changed: Record<string, string> = {};
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_COPIED.has(key) && present[key] !== value) changed[key] = value;
  }
  const before = present[REVISION];
  if (revisionOf(present) < revision) {
    changed[REVISION] = `${revision}`;
    if (before !== undefined && before !== "")
      changed[REVISION_HISTORY] = withRevision(present[REVISION_HISTORY], before);
  }
  return Object.keys(changed).length === 0 ? present : { ...present, ...changed };
}

/** The oldest are forgotten where the history would grow too long. */
function withRevision(history: string | undefined, revision: string): string {
  const revisions = history === undefined || history === "" ? [] : history.split(",");
  revisions.push(revision);
  while (revisions.join(",").length > REVISION_HISTORY_CHARACTERS_MAX) revisions.shift();
  return revisions.join(",");
}

/** Old sets beyond the history's limit that are of no use any more, lowest revision first. Source: cleanupDeployment. */
export function expiredSets({ spec }: Deployment, oldSets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  if (spec.revisionHistoryLimit === undefined) return [];
  const alive = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = alive.length - spec.revisionHistoryLimit;
  if (surplus <= 0) return [];
  const byRevision = (a: ReplicaSet, b: ReplicaSet) =>
    revisionOf(a.metadata.annotations) - revisionOf(b.metadata.annotations) || byCreation(a, b);
  return alive.toSorted(byRevision).slice(0, surplus).filter(isEmpty);
}

const isEmpty = ({ spec, status, metadata }: ReplicaSet): boolean =>
  status?.replicas === 0 && spec.replicas === 0 && (metadata.generation ?? 0) <= (status.observedGeneration ?? 0);
