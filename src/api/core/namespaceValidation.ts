/** Source: core/validation ValidateNamespace and kin, registry/core/namespace strategy.go (v1.36). */
import type { WriteContext } from "../../machinery/defineKind.ts";
import { type FieldError, FieldPath, invalid } from "../../machinery/fieldErrors.ts";
import { each, qualifiedName } from "../checks.ts";
import type { Namespace } from "../generated/core-v1.ts";

/** Keeps a namespace until its contents are gone. Source: core/v1 FinalizerKubernetes. */
export const KUBERNETES_FINALIZER = "kubernetes";
const STANDARD_FINALIZERS = [KUBERNETES_FINALIZER, "orphan", "foregroundDeletion"];

const finalizersPath = new FieldPath("spec").at("finalizers");

function finalizerErrors(path: FieldPath, name: string): FieldError[] {
  const errors = qualifiedName(path, name);
  if (name.includes("/") || STANDARD_FINALIZERS.includes(name)) return errors;
  return [...errors, invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")];
}

/** The list as a whole is named on create, the entry when a finalizer writes. */
export function validateNamespace({ spec }: Namespace, { subresource }: WriteContext): FieldError[] {
  if (subresource === "status") return [];
  if (subresource === "finalize")
    return each(finalizersPath, spec?.finalizers, (name, at) => finalizerErrors(at, name));
  return (spec?.finalizers ?? []).flatMap((name) => finalizerErrors(finalizersPath, name));
}

export function validateNamespaceUpdate(next: Namespace, _: Namespace, { subresource }: WriteContext): FieldError[] {
  if (subresource !== "status") return [];
  const path = new FieldPath("status").at("Phase");
  const phase = next.status?.phase ?? "";
  if (next.metadata.deletionTimestamp === undefined) {
    return phase === "Active" ? [] : [invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  }
  if (phase === "Terminating") return [];
  return [invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
}

export function prepareNamespaceForCreate(namespace: Namespace): Namespace {
  const finalizers = namespace.spec?.finalizers ?? [];
  const kept = finalizers.includes(KUBERNETES_FINALIZER) ? finalizers : [...finalizers, KUBERNETES_FINALIZER];
  return { ...namespace, spec: { ...namespace.spec, finalizers: kept }, status: { phase: "Active" } };
}

/** Finalizers are written through their own path alone. */
export function prepareNamespaceForUpdate(
  next: Namespace,
  previous: Namespace,
  { subresource }: WriteContext,
): Namespace {
  if (subresource !== "") return next;
  return { ...next, spec: { ...next.spec, finalizers: previous.spec?.finalizers } };
}
