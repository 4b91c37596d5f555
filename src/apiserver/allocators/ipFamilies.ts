/** Which families of addresses a Service has. Source: service storage alloc.go, initIPFamilyFields (v1.36). */
import { validateServiceAddresses } from "../../api/core/serviceAddressValidation.ts";
import type { Service, ServiceSpec } from "../../api/generated/core-v1.ts";
import { type FieldError, FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import { parseIp } from "../../machinery/ipAddress.ts";

const HEADLESS = "None";
/** The cluster has this family alone. */
const FAMILY = "IPv4";
const OTHER = "IPv6";

const specPath = new FieldPath("spec");
const policyPath = specPath.at("ipFamilyPolicy");

/** Who writes a headless Service's endpoints by hand may write those of both families. */
const isHandMade = ({ clusterIP, selector }: ServiceSpec): boolean =>
  clusterIP === HEADLESS && Object.keys(selector ?? {}).length === 0;

function policyOf(spec: ServiceSpec, before: ServiceSpec | undefined): string {
  return spec.ipFamilyPolicy ?? before?.ipFamilyPolicy ?? (isHandMade(spec) ? "RequireDualStack" : "SingleStack");
}

/** One family is not enough for two addresses. */
function policyErrors({ ipFamilyPolicy: policy, clusterIPs = [], ipFamilies = [] }: ServiceSpec): FieldError[] {
  if (policy !== "SingleStack") return [];
  const reason = (what: string) =>
    `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
  return [
    ...(clusterIPs.length === 2 ? [invalid(policyPath, policy, reason("cluster IPs"))] : []),
    ...(ipFamilies.length === 2 ? [invalid(policyPath, policy, reason("IP families"))] : []),
  ];
}

const familyOf = (address: string): string => `IPv${parseIp(address, { sloppy: true })?.family ?? 4}`;

/** Families that go without saying, as the addresses are given. */
function inferred({ clusterIPs = [], ipFamilies = [] }: ServiceSpec): { families: string[]; errors: FieldError[] } {
  const families = [...ipFamilies];
  const errors: FieldError[] = [];
  for (const [index, address] of clusterIPs.entries()) {
    if (address === HEADLESS) break;
    if (index < families.length) continue;
    const family = familyOf(address);
    if (family === FAMILY) families.push(family);
    else {
      const at = specPath.at("clusterIPs").index(index);
      errors.push(invalid(at, clusterIPs, `${family} is not configured on this cluster`));
    }
  }
  return { families, errors };
}

function clusterErrors(policy: string, families: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (policy === "RequireDualStack") {
    errors.push(invalid(policyPath, policy, "this cluster is not configured for dual-stack services"));
  }
  for (const [index, family] of families.entries()) {
    if (family === FAMILY) continue;
    errors.push(invalid(specPath.at("ipFamilies").index(index), family, "not configured on this cluster"));
  }
  return errors;
}

/** @throws ApiError 422 for families or addresses that do not fit together, or that the cluster cannot have */
export function withFamilies({ metadata: { name }, spec: given }: Service, previous: Service | undefined): ServiceSpec {
  const asked = given as ServiceSpec;
  if (asked.type === "ExternalName") return asked;
  const before = previous?.spec;
  const refuse = (errors: readonly FieldError[]) => {
    if (errors.length > 0) throw invalidObject({ group: "", kind: "Service" }, name, errors);
  };
  const spec: ServiceSpec = { ...asked, ipFamilyPolicy: policyOf(asked, before) };
  const policy = spec.ipFamilyPolicy as string;
  refuse(validateServiceAddresses(spec, before?.clusterIPs ?? []));
  const { families, errors } = inferred(spec);
  refuse([...policyErrors(spec), ...errors]);
  if (families.length === 0) families.push(FAMILY);
  if (isHandMade(spec)) {
    if (families.length < 2 && policy !== "SingleStack") families.push(families[0] === FAMILY ? OTHER : FAMILY);
    return { ...spec, ipFamilies: families };
  }
  refuse(clusterErrors(policy, families));
  return { ...spec, ipFamilies: families };
}
