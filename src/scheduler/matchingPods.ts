import { formatSelector, type Selector, selectorMatches } from "../machinery/labelSelector.ts";
import type { NodeInfo } from "./nodeInfo.ts";

/** Answers kept for a node; with more, all are forgotten. */
const MEMO_MAX = 1_000;

const keys = new WeakMap<Selector, string>();

function keyOf(selector: Selector): string {
  const known = keys.get(selector) ?? formatSelector(selector);
  keys.set(selector, known);
  return known;
}

/**
 * How many pods of a namespace on a node a selector selects, those that are going left out. Counted anew only when the
 * node's pods have changed: between two pods that are planned, that is one node. Source: countPodsMatchSelector.
 */
export function countMatchingPods(node: NodeInfo, namespace: string, selector: Selector): number {
  // Neither nothing nor everything is a group of pods that could be spread.
  if ((selector.requirements?.length ?? 0) === 0) return 0;
  const key = `${namespace} ${keyOf(selector)}`;
  const known = node.memo.get(key);
  if (known !== undefined) return known;
  let count = 0;
  for (const { metadata } of node.pods.values()) {
    const isThere = metadata.namespace === namespace && metadata.deletionTimestamp === undefined;
    if (isThere && selectorMatches(selector, metadata.labels)) count++;
  }
  if (node.memo.size >= MEMO_MAX) node.memo.clear();
  node.memo.set(key, count);
  return count;
}
