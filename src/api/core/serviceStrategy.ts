/** Source: registry/core/service strategy.go, PrepareForUpdate (v1.36). */
import { deepEqual } from "../../machinery/deepEqual.ts";
import type { WriteContext } from "../../machinery/defineKind.ts";
import type { Service, ServiceSpec } from "../generated/core-v1.ts";
import { withField } from "../missing.ts";
import { isExternallyAccessible } from "./serviceDefaults.ts";

const isBalanced = ({ type }: ServiceSpec): boolean => type === "LoadBalancer";

/**
 * What the old type had and the new one cannot have is dropped, unless the caller wrote something new there: that is
 * then refused. Addresses and node ports are let go of where they are handed out.
 */
function withoutLeftovers(next: ServiceSpec, previous: ServiceSpec): ServiceSpec {
  const leftovers: (keyof ServiceSpec)[] = [];
  if (isBalanced(previous) && !isBalanced(next)) leftovers.push("allocateLoadBalancerNodePorts", "loadBalancerClass");
  if (isExternallyAccessible(previous) && !isExternallyAccessible(next)) leftovers.push("externalTrafficPolicy");
  const dropped = leftovers.filter((field) => next[field] !== undefined && deepEqual(next[field], previous[field]));
  if (dropped.length === 0) return next;
  return Object.fromEntries(Object.entries(next).filter(([field]) => !dropped.includes(field as keyof ServiceSpec)));
}

export function prepareServiceForUpdate(next: Service, previous: Service, { subresource }: WriteContext): Service {
  if (subresource === "status") return next;
  const kept = withField(next, "spec", (spec) => withoutLeftovers(spec, previous.spec ?? {}));
  const hasAddresses = kept.status?.loadBalancer?.ingress !== undefined;
  if (!hasAddresses || kept.spec?.type === "LoadBalancer") return kept;
  return { ...kept, status: { ...kept.status, loadBalancer: {} } };
}
