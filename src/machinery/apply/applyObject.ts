/**
 * Server-side apply: merges a configuration into the live object, takes out what its manager applied before and no
 * longer does (and nobody else owns), and records the manager as owner of what it names.
 * Source: structured-merge-diff merge/update.go Apply, apimachinery util/managedfields/internal/structuredmerge.go.
 */

import { decodeObject, emptyObject } from "../decode.ts";
import { deepEqual } from "../deepEqual.ts";
import { ApiError } from "../errors.ts";
import { type KubeObject, parseApiVersion, timestamp } from "../object.ts";
import type { StructSchema } from "../schema.ts";
import type { ApplyInput } from "./applyInput.ts";
import { conflictError, conflictsOf, type ManagerConflict } from "./conflicts.ts";
import { difference, type FieldSet, intersection, isEmptySet, union, withoutSubtrees } from "./fieldSet.ts";
import { conflictsLeft, withLastApplied } from "./lastApplied.ts";
import {
  fieldsOf,
  isManager,
  type ManagerId,
  type Managers,
  newEntry,
  sorted,
  withEntry,
  withoutFields,
} from "./managers.ts";
import { mergeObjects } from "./merge.ts";
import { ownedFields, withNamedFields } from "./ownedFields.ts";
import { removeItems } from "./removeItems.ts";
import { diffObjects, type TypedDiff } from "./typedDiff.ts";
import { managersAfter, withManagers, withoutReset } from "./updateManagers.ts";
import { appliedErrors } from "./validateApplied.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * The new object, decoded and with its managedFields; to be defaulted, admitted and stored. Where nothing changes, the
 * live object itself. Throws ApiError: Conflict, or 400 or 500 for a configuration that does not fit.
 */
export function applyObject<T extends KubeObject>(input: ApplyInput<T>): T {
  checkApplied(input);
  const id: ManagerId = {
    manager: input.manager === "" ? "unknown" : input.manager,
    operation: "Apply",
    apiVersion: input.apiVersion,
    subresource: input.subresource,
  };
  const plan = planApply(input, id);
  const conflicts = input.force ? [] : conflictsLeft(plan.conflicts, input);
  if (conflicts.length > 0) throw conflictError(conflicts);
  const managers = ownersAfter(plan, id);
  if (input.live !== undefined && plan.diff === undefined && managers === plan.before) return input.live;
  return finished(plan, managers, { input, id });
}

function checkApplied<T extends KubeObject>({ applied, apiVersion, kind, schema }: ApplyInput<T>): void {
  const { apiVersion: ownVersion = "", kind: ownKind = "" } = applied;
  if (ownVersion !== apiVersion || ownKind !== kind)
    throw new ApiError("BadRequest", `invalid object type: ${goKind(`${ownVersion}`, `${ownKind}`)}`);
  const metadata = applied.metadata as Json | undefined;
  if (metadata?.managedFields !== undefined && metadata.managedFields !== null) {
    throw new ApiError("BadRequest", "metadata.managedFields must be nil");
  }
  const errors = appliedErrors(applied, schema);
  if (errors.length === 0) return;
  const text = errors.length === 1 ? errors[0] : `errors:\n  ${errors.join("\n  ")}`;
  const name = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}; ${goKind(apiVersion, kind)}`;
  throw new ApiError("", `failed to create typed patch object (${name}): ${text}`, { code: 500 });
}

/** Source: runtime/schema GroupVersionKind.String, which leaves the core group empty. */
const goKind = (apiVersion: string, kind: string): string =>
  `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

interface ApplyPlan {
  readonly merged: Json;
  /** What the merge changes, without what the endpoint ignores. Undefined: nothing. */
  readonly diff: TypedDiff | undefined;
  /** As stored, and with the fields of before the first apply accounted for. */
  readonly before: Managers;
  readonly owned: FieldSet;
  readonly conflicts: readonly ManagerConflict[];
}

function planApply<T extends KubeObject>(input: ApplyInput<T>, id: ManagerId): ApplyPlan {
  const { schema, applied } = input;
  const live = (input.live ?? emptyObject(schema)) as Json;
  const before = managersBeforeApply(input);
  const reset = input.resetFields ?? {};
  const named = withoutSubtrees(ownedFields(applied, schema), reset);
  const last = before.find((entry) => isManager(entry, id));
  const others = before.filter((entry) => entry !== last).map(fieldsOf);
  const merged = prune(mergeObjects(live, applied, schema), {
    last: last === undefined ? {} : fieldsOf(last),
    managed: others.reduce(union, named),
    schema,
  });
  const diff = withoutReset(diffObjects(live, merged, schema), input.resetFields);
  const conflicts = diff === undefined ? [] : conflictsOf(before, diff.changed, id);
  return { merged, diff, before, owned: difference(named, STRIPPED), conflicts };
}

/** Source: managedfields/internal/stripmeta.go. */
const STRIPPED: FieldSet = {
  "f:apiVersion": {},
  "f:kind": {},
  "f:metadata": {
    ".": {},
    "f:name": {},
    "f:namespace": {},
    "f:creationTimestamp": {},
    "f:selfLink": {},
    "f:uid": {},
    "f:clusterName": {},
    "f:generation": {},
    "f:managedFields": {},
    "f:resourceVersion": {},
  },
};

/** An object that nobody's fields are known of: all of it belongs to "before-first-apply". Source: skipnonapplied.go. */
function managersBeforeApply<T extends KubeObject>(input: ApplyInput<T>): Managers {
  const { live } = input;
  const stored = live?.metadata.managedFields ?? [];
  if (stored.length > 0 || live === undefined) return stored;
  return managersAfter([], { ...input, live: undefined, next: live, manager: "before-first-apply" });
}

interface Pruning {
  /** What the manager applied the last time. */
  readonly last: FieldSet;
  /** What anyone owns now. */
  readonly managed: FieldSet;
  readonly schema: StructSchema;
}

/** Takes out what was applied and is no longer, unless someone owns it. Source: Updater.prune. */
function prune(merged: Json, { last, managed, schema }: Pruning): Json {
  if (isEmptySet(last)) return merged;
  const fieldsIn = (object: Json) => withNamedFields(ownedFields(object, schema), schema);
  const lastNamed = withNamedFields(last, schema);
  const mergedSet = fieldsIn(merged);
  const bare = removeItems(merged, lastNamed, schema);
  const wanted = union(fieldsIn(bare), withNamedFields(managed, schema));
  const owned = removeItems(merged, difference(mergedSet, wanted), schema);
  return removeItems(merged, intersection(difference(mergedSet, fieldsIn(owned)), lastNamed), schema);
}

/** The applying manager's fields are its configuration's; changed and removed ones leave all others. */
function ownersAfter({ before, diff, owned }: ApplyPlan, id: ManagerId): Managers {
  const rest = diff === undefined ? before : withoutFields(withoutFields(before, diff.removed, id), diff.changed, id);
  const last = rest.find((entry) => isManager(entry, id));
  if (last !== undefined && last.apiVersion === id.apiVersion && deepEqual(fieldsOf(last), owned)) return rest;
  if (isEmptySet(owned)) return last === undefined ? rest : rest.filter((entry) => entry !== last);
  return withEntry(rest, newEntry(id, owned, last?.time), id);
}

interface Finishing<T extends KubeObject> {
  readonly input: ApplyInput<T>;
  readonly id: ManagerId;
}

function finished<T extends KubeObject>({ merged }: ApplyPlan, managers: Managers, { input, id }: Finishing<T>): T {
  const { version } = parseApiVersion(input.apiVersion);
  const { object } = decodeObject<T>(merged, { schema: input.schema, kind: { version, kind: input.kind } });
  const own = managers.find((entry) => isManager(entry, id));
  const timed = own === undefined ? managers : withEntry(managers, { ...own, time: timestamp(input.nowMs) }, id);
  return withManagers(withLastApplied(object, input), sorted(timed));
}
