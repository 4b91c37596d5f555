/** Annotations that have become fields. Source: pkg/api/pod warnings.go, deprecatedAnnotations. */
import { deepEqual } from "../../../machinery/deepEqual.ts";
import type { FieldPath } from "../../../machinery/fieldErrors.ts";
import type { AppArmorProfile, PodSpec } from "../../generated/core-v1.ts";
import { APP_ARMOR, appArmorProfileOf, SECCOMP_CONTAINER, SECCOMP_POD } from "../podAnnotations.ts";
import type { VisitedContainer } from "../podSpec/windows.ts";

type Annotations = Readonly<Record<string, string>>;

const WITHOUT_FUNCTION: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
const SECCOMP_TEXT = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const APP_ARMOR_TEXT = 'deprecated since v1.30; use the "appArmorProfile" field instead';

export const oldAnnotationWarnings = (annotations: Annotations, path: FieldPath): string[] =>
  Object.entries(WITHOUT_FUNCTION)
    .filter(([key]) => annotations[key] !== undefined)
    .map(([key, text]) => `${path.key(key)}: ${text}`);

export const podSeccompWarnings = (annotations: Annotations, spec: PodSpec, path: FieldPath): string[] =>
  annotations[SECCOMP_POD] === undefined || spec.securityContext?.seccompProfile !== undefined
    ? []
    : [`${path.key(SECCOMP_POD)}: ${SECCOMP_TEXT}`];

const saysTheSame = (profile: AppArmorProfile | undefined, annotation: string): boolean =>
  profile !== undefined && deepEqual(profile, appArmorProfileOf(annotation));

/** Pods themselves are told of AppArmor elsewhere, where the annotation becomes a field. */
export function containerAnnotationWarnings(
  annotations: Annotations,
  { container: { name, securityContext } }: VisitedContainer,
  { spec, path, isTemplate }: { spec: PodSpec; path: FieldPath; isTemplate: boolean },
): string[] {
  const [seccomp, appArmor] = [`${SECCOMP_CONTAINER}${name}`, `${APP_ARMOR}${name}`];
  const armor = annotations[appArmor];
  const tellsArmor =
    isTemplate &&
    armor !== undefined &&
    securityContext?.appArmorProfile === undefined &&
    !saysTheSame(spec.securityContext?.appArmorProfile, armor);
  const tellsSeccomp = annotations[seccomp] !== undefined && securityContext?.seccompProfile === undefined;
  return [
    ...(tellsSeccomp ? [`${path.key(seccomp)}: ${SECCOMP_TEXT}`] : []),
    ...(tellsArmor ? [`${path.key(appArmor)}: ${APP_ARMOR_TEXT}`] : []),
  ];
}
