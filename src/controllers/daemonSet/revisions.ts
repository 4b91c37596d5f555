/** Which template is which revision. Source: pkg/controller/daemon/update.go, constructHistory. */
import type { ControllerRevision, DaemonSet } from "../../api/generated/apps-v1.ts";
import type { Pod } from "../../api/generated/core-v1.ts";
import { daemonSet as daemonSetKind } from "../../api/index.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import type { Draft } from "../../machinery/object.ts";
import { ownerReferenceFor } from "../../machinery/ownerReferences.ts";
import { podTemplateHash } from "../deployment/podTemplateHash.ts";

/** On pods and revisions. Source: apps/v1, ControllerRevisionHashLabelKey. */
export const REVISION_HASH = "controller-revision-hash";

export interface RevisionPlan {
  /** Of the present template. */
  readonly hash: string;
  readonly create: Draft<ControllerRevision> | undefined;
  readonly update: ControllerRevision | undefined;
  readonly remove: readonly ControllerRevision[];
}

export function planRevisions(
  set: DaemonSet,
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
): RevisionPlan {
  const data = revisionData(set);
  const isCurrent = (revision: ControllerRevision) => semanticEqual(revision.data, data);
  const [current, ...doubles] = revisions.filter(isCurrent).toSorted((a, b) => b.revision - a.revision);
  const old = revisions.filter((revision) => !isCurrent(revision)).toSorted((a, b) => a.revision - b.revision);
  const number = Math.max(0, ...old.map(({ revision }) => revision)) + 1;
  const remove = [...doubles, ...expired(set, old, pods)];
  if (current === undefined) {
    const hash = podTemplateHash(set.spec.template, set.status?.collisionCount);
    return { hash, create: newRevision(set, data, hash, number), update: undefined, remove };
  }
  const hash = current.metadata.labels?.[REVISION_HASH] ?? current.metadata.name;
  const update = current.revision < number ? { ...current, revision: number } : undefined;
  return { hash, create: undefined, update, remove };
}

/** A patch that brings this template back, which is what `rollout undo` applies. Source: getPatch. */
const revisionData = ({ spec }: DaemonSet) => ({ spec: { template: { ...spec.template, $patch: "replace" } } });

function newRevision(set: DaemonSet, data: object, hash: string, revision: number): Draft<ControllerRevision> {
  const { name, namespace, annotations } = set.metadata;
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace !== undefined && { namespace }),
      labels: { ...set.spec.template.metadata?.labels, [REVISION_HASH]: hash },
      ...(annotations !== undefined && { annotations }),
      ownerReferences: [ownerReferenceFor(set, daemonSetKind)],
    },
    data,
    revision,
  };
}

/** Those that pods still run are kept. Source: cleanupHistory. */
function expired({ spec }: DaemonSet, old: readonly ControllerRevision[], pods: readonly Pod[]) {
  const surplus = old.length - (spec.revisionHistoryLimit ?? 10);
  if (surplus <= 0) return [];
  const live = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_HASH]));
  return old.filter(({ metadata }) => !live.has(metadata.labels?.[REVISION_HASH])).slice(0, surplus);
}
