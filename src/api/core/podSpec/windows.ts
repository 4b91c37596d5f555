/** Fields for Windows, and fields that only Linux has. Source: core/validation validateWindows and kin (v1.36). */
import { type FieldError, type FieldPath, forbiddenField, invalid } from "../../../machinery/fieldErrors.ts";
import { subdomain } from "../../checks.ts";
import type { Container, PodSpec, WindowsSecurityContextOptions } from "../../generated/core-v1.ts";

export interface VisitedContainer {
  readonly container: Container;
  readonly path: FieldPath;
}

/** Source: maxGMSACredentialSpecLength, maxRunAsUserNameDomainLength, maxRunAsUserNameUserLength. */
const CREDENTIAL_KIB_MAX = 64;
const DOMAIN_LENGTH_MAX = 256;
const USER_LENGTH_MAX = 104;

const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const DNS_DOMAIN = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

function userNameReasons(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (/\p{Cc}/u.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts.at(-1) ?? "";
  const domain = parts.length === 2 ? (parts[0] ?? "") : undefined;
  const reasons: string[] = [];
  if (domain !== undefined && domain.length >= DOMAIN_LENGTH_MAX) {
    reasons.push(`runAsUserName's Domain length must be under ${DOMAIN_LENGTH_MAX} characters`);
  }
  if (domain !== undefined && !NET_BIOS.test(domain) && !DNS_DOMAIN.test(domain)) {
    reasons.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") reasons.push("runAsUserName's User cannot be empty");
  if (user.length > USER_LENGTH_MAX) {
    reasons.push(`runAsUserName's User length must not be longer than ${USER_LENGTH_MAX} characters`);
  }
  if (/^[. ]+$/.test(user)) reasons.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    reasons.push("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
  return reasons;
}

export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: FieldPath,
): FieldError[] {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options ?? {};
  const errors =
    gmsaCredentialSpecName === undefined ? [] : subdomain(path.at("gmsaCredentialSpecName"), gmsaCredentialSpecName);
  const at = path.at("gmsaCredentialSpec");
  if (gmsaCredentialSpec === "") errors.push(invalid(at, "", "gmsaCredentialSpec cannot be an empty string"));
  if (gmsaCredentialSpec !== undefined && gmsaCredentialSpec.length > CREDENTIAL_KIB_MAX * 1024) {
    errors.push(invalid(at, gmsaCredentialSpec, `gmsaCredentialSpec size must be under ${CREDENTIAL_KIB_MAX} KiB`));
  }
  if (runAsUserName === undefined) return errors;
  const reasons = userNameReasons(runAsUserName);
  return [...errors, ...reasons.map((reason) => invalid(path.at("runAsUserName"), runAsUserName, reason))];
}

/** Source: validateWindowsHostProcessPod. */
export function validateHostProcess(
  spec: PodSpec,
  containers: readonly VisitedContainer[],
  path: FieldPath,
): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const errors: FieldError[] = [];
  let count = 0;
  for (const { container, path: at } of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (own ?? ofPod) count += 1;
    if (own === undefined || ofPod === undefined || own === ofPod) continue;
    const reason = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
    errors.push(invalid(at.at("securityContext", "windowsOptions", "hostProcess"), own, reason));
  }
  if (count === 0) return errors;
  if (count !== containers.length) {
    const reason = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    errors.push(invalid(path, "", reason));
  }
  if (!spec.hostNetwork) {
    const reason = "hostNetwork must be true if pod contains any hostProcess containers";
    errors.push(invalid(path.at("hostNetwork"), false, reason));
  }
  return errors;
}

const NOT_ON_WINDOWS = "cannot be set for a windows pod";
const LINUX_POD_FIELDS = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const;
const LINUX_POD_CONTEXT = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;
const LINUX_CONTAINER_CONTEXT = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

const refused = <T extends object>(object: T | undefined, fields: readonly (keyof T & string)[], path: FieldPath) =>
  fields
    .filter((field) => object?.[field] !== undefined && (object[field] as unknown) !== false)
    .map((field) => forbiddenField(path.at(field), NOT_ON_WINDOWS));

/** What a pod of the other system may not say. Source: validateLinux, validateWindows. */
export function validateForSystem(
  spec: PodSpec,
  containers: readonly VisitedContainer[],
  path: FieldPath,
): FieldError[] {
  if (spec.os?.name === "linux") {
    const contexts = [
      { context: spec.securityContext, at: path.at("securityContext") },
      ...containers.map(({ container, path }) => ({
        context: container.securityContext,
        at: path.at("securityContext"),
      })),
    ];
    return contexts
      .filter(({ context }) => context?.windowsOptions !== undefined)
      .map(({ at }) => forbiddenField(at.at("windowsOptions"), "windows options cannot be set for a linux pod"));
  }
  if (spec.os?.name !== "windows") return [];
  return [
    ...refused(spec, LINUX_POD_FIELDS, path),
    ...refused(spec.securityContext, LINUX_POD_CONTEXT, path.at("securityContext")),
    ...containers.flatMap(({ container, path: at }) =>
      refused(container.securityContext, LINUX_CONTAINER_CONTEXT, at.at("securityContext")),
    ),
  ];
}
