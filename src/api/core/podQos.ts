/** Which pods are hurt last when a node runs short. Source: apis/core/helper/qos/qos.go, ComputePodQOS (v1.36). */
import { addQuantities, compareQuantities, isZeroQuantity, type QuantityLike } from "../../machinery/quantity.ts";
import type { PodSpec, ResourceRequirements } from "../generated/core-v1.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const COMPUTE = ["cpu", "memory"] as const;

type Totals = Partial<Record<(typeof COMPUTE)[number], QuantityLike>>;

function add(totals: Totals, list: ResourceRequirements["limits"]): Totals {
  const next = { ...totals };
  for (const name of COMPUTE) {
    const amount = list?.[name];
    if (amount !== undefined && !isZeroQuantity(amount)) next[name] = addQuantities(next[name] ?? 0, amount);
  }
  return next;
}

const hasBoth = (list: ResourceRequirements["limits"]): boolean =>
  COMPUTE.every((name) => list?.[name] !== undefined && !isZeroQuantity(list[name]));

/** The pod's own resources, where given, stand for those of its containers; ephemeral containers have none. */
export function computeQosClass(spec: PodSpec): QosClass {
  const parts: (ResourceRequirements | undefined)[] =
    spec.resources === undefined
      ? [...spec.containers, ...(spec.initContainers ?? [])].map(({ resources }) => resources)
      : [spec.resources];
  const requests = parts.reduce<Totals>((totals, part) => add(totals, part?.requests), {});
  const limits = parts.reduce<Totals>((totals, part) => add(totals, part?.limits), {});
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  const isGuaranteed =
    parts.every((part) => hasBoth(part?.limits)) &&
    Object.keys(requests).length === Object.keys(limits).length &&
    COMPUTE.every((name) => compareQuantities(requests[name] ?? 0, limits[name] ?? 0) === 0);
  return isGuaranteed ? "Guaranteed" : "Burstable";
}
