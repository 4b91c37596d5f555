/**
 * Moving from client-side to server-side apply: `kubectl apply --server-side` may take over what the annotation of
 * `kubectl apply` says was applied, and keeps that annotation up to date.
 * Source: apimachinery util/managedfields/internal lastappliedmanager.go, lastappliedupdater.go.
 */

import type { KubeObject } from "../object.ts";
import type { ApplyInput } from "./applyInput.ts";
import type { ManagerConflict } from "./conflicts.ts";
import { difference, EMPTY_SET, type FieldSet, isEmptySet, union } from "./fieldSet.ts";
import { ownedFields } from "./ownedFields.ts";
import { diffObjects } from "./typedDiff.ts";
import { appliedErrors } from "./validateApplied.ts";

type Json = Readonly<Record<string, unknown>>;

export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
/** Source: apimachinery api/validation TotalAnnotationSizeLimitB. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

/** Only this manager inherits from the annotation. */
const KUBECTL = "kubectl";

const lastAppliedOf = (object: KubeObject | undefined): string =>
  object?.metadata.annotations?.[LAST_APPLIED_ANNOTATION] ?? "";

/** The conflicts without those over fields that the annotation shows to be the applier's own. */
export function conflictsLeft<T extends KubeObject>(
  conflicts: readonly ManagerConflict[],
  input: ApplyInput<T>,
): readonly ManagerConflict[] {
  if (conflicts.length === 0 || input.manager !== KUBECTL || input.live === undefined) return conflicts;
  const allowed = fieldsLastApplied(input.live, input);
  return conflicts
    .map(({ entry, fields }) => ({ entry, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmptySet(fields));
}

/** What the annotation names and the live object still holds unchanged. */
function fieldsLastApplied<T extends KubeObject>(live: T, { schema, apiVersion }: ApplyInput<T>): FieldSet {
  const applied = parsed(lastAppliedOf(live));
  if (applied === undefined || applied.apiVersion !== apiVersion) return EMPTY_SET;
  if (appliedErrors(applied, schema).length > 0) return EMPTY_SET;
  const diff = diffObjects(applied, live as unknown as Json, schema);
  const fields = ownedFields(applied, schema);
  return diff === undefined ? fields : difference(fields, union(diff.changed, diff.removed));
}

function parsed(text: string): Json | undefined {
  if (text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the configuration into the annotation where there is one, unless that would make annotations too large. */
export function withLastApplied<T extends KubeObject>(object: T, { manager, applied }: ApplyInput<T>): T {
  if (manager !== KUBECTL || lastAppliedOf(object) === "") return object;
  const { [LAST_APPLIED_ANNOTATION]: _, ...annotations } = object.metadata.annotations ?? {};
  const updated = { ...annotations, [LAST_APPLIED_ANNOTATION]: `${JSON.stringify(withoutAnnotation(applied))}\n` };
  const bytes = Object.entries(updated).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0);
  const fitting = bytes > ANNOTATIONS_BYTES_MAX ? annotations : updated;
  return { ...object, metadata: { ...object.metadata, annotations: fitting } };
}

function withoutAnnotation(applied: Json): Json {
  const metadata = applied.metadata as Json | undefined;
  const annotations = metadata?.annotations as Json | undefined;
  if (annotations?.[LAST_APPLIED_ANNOTATION] === undefined) return applied;
  const { [LAST_APPLIED_ANNOTATION]: _, ...rest } = annotations;
  return { ...applied, metadata: { ...metadata, annotations: rest } };
}
