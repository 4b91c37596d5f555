import type { Container, Pod } from "../../api/generated/core-v1.ts";
import { addQuantities, compareQuantities, isZeroQuantity, type Quantity } from "../../machinery/quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** Resources that count for the class. Source: component-helpers qos.go supportedQoSComputeResources. */
const COUNTED = ["cpu", "memory"] as const;

type Sums = Partial<Record<string, Quantity>>;

function addTo(sums: Sums, list: Readonly<Record<string, string>> | undefined): void {
  for (const name of COUNTED) {
    const amount = list?.[name];
    if (amount === undefined || isZeroQuantity(amount)) continue;
    const sum = sums[name];
    sums[name] = sum === undefined ? addQuantities(amount, "0") : addQuantities(sum, amount);
  }
}

const hasAllLimits = ({ resources }: Container): boolean =>
  COUNTED.every((name) => resources?.limits?.[name] !== undefined && !isZeroQuantity(resources.limits[name]));

/** As the API server set it at creation, or computed. Source: component-helpers resource/qos.go ComputePodQOS. */
export function qosClassOf(pod: Pod): QosClass {
  const known = pod.status?.qosClass;
  if (known !== undefined && known !== "") return known as QosClass;
  const requests: Sums = {};
  const limits: Sums = {};
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  for (const { resources } of containers) {
    addTo(requests, resources?.requests);
    addTo(limits, resources?.limits);
  }
  const asked = COUNTED.filter((name) => requests[name] !== undefined);
  if (asked.length === 0 && COUNTED.every((name) => limits[name] === undefined)) return "BestEffort";
  const isGuaranteed =
    containers.every(hasAllLimits) &&
    asked.every((name) => compareQuantities(requests[name] ?? "0", limits[name] ?? "0") === 0);
  return isGuaranteed ? "Guaranteed" : "Burstable";
}
