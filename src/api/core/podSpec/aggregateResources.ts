/** What all containers of a pod need together. Source: component-helpers resource/helpers.go. */
import { addQuantities, compareQuantities, formatQuantity } from "../../../machinery/quantity.ts";
import type { Container, PodSpec } from "../../generated/core-v1.ts";
import type { ResourceList } from "./resourceDefaults.ts";

function sum(left: ResourceList, right: ResourceList): ResourceList {
  const total: Record<string, string> = { ...left };
  for (const [name, amount] of Object.entries(right)) {
    const known = total[name];
    total[name] = known === undefined ? amount : formatQuantity(addQuantities(known, amount));
  }
  return total;
}

function larger(left: ResourceList, right: ResourceList): ResourceList {
  const most: Record<string, string> = { ...left };
  for (const [name, amount] of Object.entries(right)) {
    const known = most[name];
    if (known === undefined || compareQuantities(amount, known) > 0) most[name] = amount;
  }
  return most;
}

/** A sidecar: an init container that goes on running. */
export const isRestartableInitContainer = (container: Container): boolean => container.restartPolicy === "Always";

/**
 * The sum of containers and sidecars, or what the neediest init container needs beside the sidecars started before it,
 * whichever is more. Pod-level resources and overhead are not counted.
 */
export function aggregateContainerResources(spec: PodSpec, which: "requests" | "limits"): ResourceList {
  const of = (container: Container): ResourceList => container.resources?.[which] ?? {};
  let running = spec.containers.map(of).reduce(sum, {});
  let sidecars: ResourceList = {};
  let starting: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    if (isRestartableInitContainer(container)) {
      running = sum(running, of(container));
      sidecars = sum(sidecars, of(container));
      starting = larger(starting, sidecars);
    } else {
      starting = larger(starting, sum(of(container), sidecars));
    }
  }
  return larger(running, starting);
}
