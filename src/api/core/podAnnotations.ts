/** Annotations of pods and pod templates that mean something. Source: core/validation ValidatePodSpecificAnnotations. */
import { type FieldError, type FieldPath, forbiddenField, invalid, root } from "../../machinery/fieldErrors.ts";
import { descendingPath, INT32_MAX } from "../checks.ts";
import type { AppArmorProfile, PodSpec, SeccompProfile } from "../generated/core-v1.ts";
import { MIRROR_POD_ANNOTATION, visitContainers } from "./podSpec/validatePodSpec.ts";

/** Source: core/v1 annotation_key_constants.go. */
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
export const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
export const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
export const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";

type Annotations = Readonly<Record<string, string>> | undefined;

function seccompErrors(profile: string, path: FieldPath): FieldError[] {
  if (["runtime/default", "docker/default", "unconfined"].includes(profile)) return [];
  if (profile.startsWith("localhost/")) return descendingPath(path, profile.slice("localhost/".length));
  return [invalid(path, profile, "must be a valid seccomp profile")];
}

const isDeletionCost = (text: string): boolean =>
  /^(0|-?[1-9][0-9]*)$/.test(text) && Number(text) >= -INT32_MAX - 1 && Number(text) <= INT32_MAX;

function appArmorErrors(key: string, profile: string, spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const name = key.slice(APP_ARMOR.length);
  if (!visitContainers(spec, root).some(({ container }) => container.name === name)) {
    errors.push(invalid(path.key(key), name, "container not found"));
  }
  if (!["", "runtime/default", "unconfined"].includes(profile) && !profile.startsWith("localhost/")) {
    errors.push(invalid(path.key(key), profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  }
  return errors;
}

export function validatePodAnnotations(annotations: Annotations, spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const mirror = annotations?.[MIRROR_POD_ANNOTATION];
  if (mirror !== undefined && !spec.nodeName) {
    const reason = "must set spec.nodeName if mirror pod annotation is set";
    errors.push(invalid(path.key(MIRROR_POD_ANNOTATION), mirror, reason));
  }
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (key === DELETION_COST && !isDeletionCost(value)) {
      errors.push(invalid(path.key(key), value, "must be a 32bit integer"));
    } else if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) {
      errors.push(...seccompErrors(value, path.at(key)));
    } else if (key.startsWith(APP_ARMOR)) errors.push(...appArmorErrors(key, value, spec, path));
  }
  return errors;
}

/** A change of what the kubelet reads only once. Source: ValidatePodSpecificAnnotationUpdates. */
export function validatePodAnnotationUpdate(next: Annotations, previous: Annotations, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(previous ?? {})) {
    if (next?.[key] === value) continue;
    if (key.startsWith(APP_ARMOR)) {
      errors.push(forbiddenField(path.key(key), "may not remove or update AppArmor annotations"));
    }
    if (key === MIRROR_POD_ANNOTATION) {
      errors.push(forbiddenField(path.key(key), "may not remove or update mirror pod annotation"));
    }
  }
  for (const key of Object.keys(next ?? {})) {
    if (previous?.[key] !== undefined) continue;
    if (key.startsWith(APP_ARMOR)) errors.push(forbiddenField(path.key(key), "may not add AppArmor annotations"));
    if (key === MIRROR_POD_ANNOTATION) errors.push(forbiddenField(path.key(key), "may not add mirror pod annotation"));
  }
  return errors;
}

/** The field that says what an old annotation says. Source: pkg/api/pod util.go, ApparmorFieldForAnnotation. */
export function appArmorProfileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  const localhostProfile = annotation.startsWith("localhost/") ? annotation.slice("localhost/".length) : "";
  return localhostProfile === "" ? undefined : { type: "Localhost", localhostProfile };
}

type Profile = SeccompProfile | AppArmorProfile;

/** An old annotation may stand beside the field if both say the same. */
function mismatch(profile: Profile | undefined, annotation: string | undefined, what: string, path: FieldPath) {
  if (profile === undefined || annotation === undefined) return [];
  const named = `${what} profile in annotation and field must match`;
  const typed = forbiddenField(path.at("type"), `${what} type in annotation and field must match`);
  switch (profile.type) {
    case "Unconfined":
      return annotation === "unconfined" ? [] : [typed];
    case "RuntimeDefault":
      return annotation === "runtime/default" || (what === "seccomp" && annotation === "docker/default") ? [] : [typed];
    case "Localhost":
      if (!annotation.startsWith("localhost/")) return [typed];
      return annotation.slice("localhost/".length) === profile.localhostProfile
        ? []
        : [forbiddenField(path.at("localhostProfile"), named)];
    default:
      return [];
  }
}

/** Source: validateSeccompAnnotationsAndFields, validateAppArmorAnnotationsAndFieldsMatchOnCreate. */
export function validateProfileAnnotations(annotations: Annotations, spec: PodSpec, path: FieldPath): FieldError[] {
  if (annotations === undefined) return [];
  const ofPod = spec.securityContext;
  const isWindows = spec.os?.name === "windows";
  return [
    ...mismatch(
      ofPod?.seccompProfile,
      annotations[SECCOMP_POD],
      "seccomp",
      path.at("securityContext", "seccompProfile"),
    ),
    ...visitContainers(spec, path).flatMap(({ container, path: at }) => {
      const context = container.securityContext;
      const security = at.at("securityContext");
      const seccomp = annotations[`${SECCOMP_CONTAINER}${container.name}`];
      const appArmor = isWindows ? undefined : annotations[`${APP_ARMOR}${container.name}`];
      return [
        ...mismatch(context?.seccompProfile, seccomp, "seccomp", security.at("seccompProfile")),
        ...mismatch(
          context?.appArmorProfile ?? ofPod?.appArmorProfile,
          appArmor,
          "apparmor",
          security.at("appArmorProfile"),
        ),
      ];
    }),
  ];
}
