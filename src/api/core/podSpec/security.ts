/** Security contexts of pods and containers. Source: core/validation ValidateSecurityContext and kin (v1.36). */
import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalid,
  required,
  tooLong,
} from "../../../machinery/fieldErrors.ts";
import { groupIdReasons, userIdReasons } from "../../../machinery/names.ts";
import { because, descendingPath, each, goForm, needed, oneOf, optionalOneOf, seenBefore } from "../../checks.ts";
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext, Sysctl } from "../../generated/core-v1.ts";
import { goObject } from "../../goObject.ts";
import { validateWindowsOptions } from "./windows.ts";

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
/** PATH_MAX - 1. Source: ValidateAppArmorProfileField. */
const PROFILE_PATH_BYTES_MAX = 4095;
const SYSCTL_NAME_BYTES_MAX = 253;
const SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SYSCTL_NAME = new RegExp(`^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`);
const SYSCTL_REASON = `must have at most ${SYSCTL_NAME_BYTES_MAX} characters and match regex ^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;

const userId = (path: FieldPath, id: number | undefined): FieldError[] =>
  id === undefined ? [] : because(path, id, userIdReasons(id));
const groupId = (path: FieldPath, id: number | undefined): FieldError[] =>
  id === undefined ? [] : because(path, id, groupIdReasons(id));

function seccompErrors(profile: SeccompProfile | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = path.at("localhostProfile");
  const errors = type
    ? oneOf(path.at("type"), type, PROFILE_TYPES)
    : [required(path.at("type"), "type is required when seccompProfile is set")];
  if (type === "Localhost") {
    if (localhostProfile === undefined) {
      return [...errors, required(at, "must be set when seccomp type is Localhost")];
    }
    return [...errors, ...descendingPath(at, localhostProfile)];
  }
  if (localhostProfile === undefined) return errors;
  const shown = goForm(profile, ["Type", "LocalhostProfile"]);
  return [...errors, invalid(at, shown, "can only be set when seccomp type is Localhost")];
}

function appArmorErrors(profile: AppArmorProfile | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = path.at("localhostProfile");
  if (!type) return [required(path.at("type"), "type is required when appArmorProfile is set")];
  if (type !== "Localhost") {
    const errors = oneOf(path.at("type"), type, PROFILE_TYPES);
    if (errors.length > 0 || localhostProfile === undefined) return errors;
    return [invalid(at, localhostProfile, "can only be set when AppArmor type is Localhost")];
  }
  if (localhostProfile === undefined) return [required(at, "must be set when AppArmor type is Localhost")];
  const errors: FieldError[] = [];
  if (localhostProfile.trim() !== localhostProfile) {
    errors.push(invalid(at, localhostProfile, "must not be padded with whitespace"));
  } else if (localhostProfile === "") errors.push(required(at, "must be set when AppArmor type is Localhost"));
  if (localhostProfile.length > PROFILE_PATH_BYTES_MAX) errors.push(tooLong(at, PROFILE_PATH_BYTES_MAX));
  return errors;
}

/** Whose namespace a kernel parameter belongs to. Source: component-helpers node/util/sysctl GetNamespace. */
function sysctlNamespace(name: string): "net" | "ipc" | undefined {
  const dotted = name.replaceAll("/", ".");
  if (dotted === "kernel.sem" || /^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(dotted)) return "ipc";
  return dotted.startsWith("net.") ? "net" : undefined;
}

function sysctlErrors(sysctls: readonly Sysctl[] | undefined, spec: PodSpec, path: FieldPath): FieldError[] {
  const names = new Set<string>();
  return each(path, sysctls, ({ name }, index) => {
    const at = index.at("name");
    const errors = needed(at, name);
    if (name && (name.length > SYSCTL_NAME_BYTES_MAX || !SYSCTL_NAME.test(name))) {
      errors.push(invalid(at, name, SYSCTL_REASON));
    } else if (name && seenBefore(names, name)) errors.push(duplicate(at, name));
    const namespace = sysctlNamespace(name ?? "");
    if (spec.hostNetwork && namespace === "net") {
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC && namespace === "ipc") {
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
    return errors;
  });
}

/** `path` is that of the pod's security context. Source: validatePodSpecSecurityContext. */
export function validatePodSecurity(spec: PodSpec, path: FieldPath): FieldError[] {
  const context = spec.securityContext;
  if (context === undefined) return [];
  const errors = [
    ...groupId(path.at("fsGroup"), context.fsGroup),
    ...userId(path.at("runAsUser"), context.runAsUser),
    ...groupId(path.at("runAsGroup"), context.runAsGroup),
    ...each(path.at("supplementalGroups"), context.supplementalGroups, (id, at) => groupId(at, id)),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    const reason = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalid(path.at("shareProcessNamespace"), true, reason));
  }
  return [
    ...errors,
    ...sysctlErrors(context.sysctls, spec, path.at("sysctls")),
    ...optionalOneOf(path.at("fsGroupChangePolicy"), context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]),
    ...seccompErrors(context.seccompProfile, path.at("seccompProfile")),
    ...validateWindowsOptions(context.windowsOptions, path.at("windowsOptions")),
    ...appArmorErrors(context.appArmorProfile, path.at("appArmorProfile")),
    ...optionalOneOf(path.at("supplementalGroupsPolicy"), context.supplementalGroupsPolicy, ["Merge", "Strict"]),
    // MountOption needs the gate SELinuxMount, which is off.
    ...optionalOneOf(path.at("seLinuxChangePolicy"), context.seLinuxChangePolicy, ["Recursive"]),
  ];
}

function escalationErrors(context: SecurityContext, path: FieldPath): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const shown = goObject("SecurityContext", context);
  const refuse = (what: string) => invalid(path, shown, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`);
  return [
    ...(context.privileged ? [refuse("`privileged` to true")] : []),
    ...(context.capabilities?.add ?? [])
      .filter((capability) => capability === "CAP_SYS_ADMIN")
      .map(() => refuse("`capabilities.Add` CAP_SYS_ADMIN")),
  ];
}

export function validateContainerSecurity(
  context: SecurityContext | undefined,
  { hostUsers }: { readonly hostUsers: boolean },
  path: FieldPath,
): FieldError[] {
  if (context === undefined) return [];
  const { procMount } = context;
  const errors = [
    ...userId(path.at("runAsUser"), context.runAsUser),
    ...groupId(path.at("runAsGroup"), context.runAsGroup),
    ...optionalOneOf(path.at("procMount"), procMount, ["Default", "Unmasked"]),
  ];
  if (hostUsers && procMount === "Unmasked") {
    errors.push(invalid(path.at("procMount"), procMount, "`hostUsers` must be false to use `Unmasked`"));
  }
  return [
    ...errors,
    ...seccompErrors(context.seccompProfile, path.at("seccompProfile")),
    ...escalationErrors(context, path),
    ...validateWindowsOptions(context.windowsOptions, path.at("windowsOptions")),
    ...appArmorErrors(context.appArmorProfile, path.at("appArmorProfile")),
  ];
}

/** A pod with users of its own shares nothing else with the host. Source: validateHostUsers. */
export function validateHostUsers(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const shared = { hostNetwork: spec.hostNetwork, HostPID: spec.hostPID, HostIPC: spec.hostIPC };
  return Object.entries(shared)
    .filter(([, on]) => on)
    .map(([field]) => forbiddenField(path.at(field), "when `hostUsers` is false"));
}
