/** What a pod asks of a node. Source: kubernetes resourcehelper PodRequests; scheduler framework types.go. */
import type { Container, Pod } from "../api/generated/core-v1.ts";
import { quantityMilliValue, quantityValue } from "../machinery/quantity.ts";

/** CPU in millicores, everything else in whole units. */
export type Resources = Readonly<Record<string, number>>;

/** Counted for containers that ask for nothing, in scores only. Source: scheduler util/pod_resources.go. */
const CPU_UNASKED_MILLI = 100;
const MEMORY_UNASKED_BYTES = 200 * 1024 * 1024;

export const amountOf = (name: string, quantity: string): number =>
  name === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);

const requestsOf = (container: Pick<Container, "resources">, unasked: Resources): Resources => ({
  ...unasked,
  ...parsed(container.resources?.requests),
});

const parsed = (list: { readonly [name: string]: string } | undefined): Resources =>
  Object.fromEntries(Object.entries(list ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)]));

export function addResources(into: Record<string, number>, add: Resources, sign: 1 | -1 = 1): void {
  for (const [name, amount] of Object.entries(add)) into[name] = (into[name] ?? 0) + sign * amount;
}

function raiseTo(into: Record<string, number>, other: Resources): void {
  for (const [name, amount] of Object.entries(other)) into[name] = Math.max(into[name] ?? 0, amount);
}

const isSidecar = (container: Container) => container.restartPolicy === "Always";

/**
 * The sum over containers and restartable init containers, or the greatest moment of initialisation if that is more,
 * with the pod's overhead; pod-level requests replace the sums of what they name.
 */
function requests(pod: Pod, unasked: Resources): Resources {
  const total: Record<string, number> = {};
  for (const container of pod.spec.containers) addResources(total, requestsOf(container, unasked));
  const sidecars: Record<string, number> = {};
  const initial: Record<string, number> = {};
  for (const container of pod.spec.initContainers ?? []) {
    const asked = requestsOf(container, unasked);
    if (isSidecar(container)) {
      addResources(sidecars, asked);
      raiseTo(initial, sidecars);
    } else {
      const moment = { ...asked };
      addResources(moment, sidecars);
      raiseTo(initial, moment);
    }
  }
  addResources(total, sidecars);
  raiseTo(total, initial);
  Object.assign(total, parsed(pod.spec.resources?.requests));
  addResources(total, parsed(pod.spec.overhead));
  return total;
}

const cache = new WeakMap<object, { readonly requested: Resources; readonly nonZero: Resources }>();

/** Of one revision of a pod, worked out once. */
export function podResources(pod: Pod): { readonly requested: Resources; readonly nonZero: Resources } {
  const known = cache.get(pod.spec);
  if (known !== undefined) return known;
  const made = {
    requested: requests(pod, {}),
    nonZero: requests(pod, { cpu: CPU_UNASKED_MILLI, memory: MEMORY_UNASKED_BYTES }),
  };
  cache.set(pod.spec, made);
  return made;
}
