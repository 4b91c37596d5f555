/** Defaults of resource amounts. Source: apis/core/v1/defaults.go, SetDefaults_ResourceList and SetDefaults_Pod. */
import { formatQuantity, milliQuantity, parseQuantity, quantityMilliValue } from "../../../machinery/quantity.ts";
import type { Container, ResourceRequirements } from "../../generated/core-v1.ts";
import { withField } from "../../missing.ts";

export type ResourceList = Readonly<Record<string, string>>;

const NANO_PER_MILLI = 1_000_000n;

function roundedUpToMilli(text: string): string {
  const quantity = parseQuantity(text);
  if (quantity.nano % NANO_PER_MILLI === 0n) return text;
  return formatQuantity(milliQuantity(quantityMilliValue(quantity), quantity.format));
}

/** What is finer than a thousandth is rounded up. */
export function resourceListDefaults(resources: ResourceList): ResourceList {
  let changed: Record<string, string> | undefined;
  for (const [name, text] of Object.entries(resources)) {
    const rounded = roundedUpToMilli(text);
    if (rounded !== text) changed = { ...(changed ?? resources), [name]: rounded };
  }
  return changed ?? resources;
}

export const requirementsDefaults = <R extends { readonly limits?: ResourceList; readonly requests?: ResourceList }>(
  requirements: R,
): R => {
  const limits = withField(requirements, "limits", resourceListDefaults as never);
  return withField(limits, "requests", resourceListDefaults as never);
};

/** In a pod, but not in a template, a limit without a request is also the request. */
export function requestsFromLimits(container: Container): Container {
  const { limits, requests } = container.resources ?? {};
  const missing = Object.entries(limits ?? {}).filter(([name]) => requests?.[name] === undefined);
  if (missing.length === 0) return container;
  const resources: ResourceRequirements = {
    ...container.resources,
    requests: { ...requests, ...Object.fromEntries(missing) },
  };
  return { ...container, resources };
}
