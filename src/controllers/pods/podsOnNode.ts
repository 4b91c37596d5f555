import type { Pod } from "../../api/generated/core-v1.ts";
import { pod as podKind } from "../../api/index.ts";
import type { SharedInformers } from "../../client/sharedInformers.ts";

const BY_NODE = "node";

/** Finds the pods of a node without looking at all others. Call it once, before the informers start. */
export function podsOnNode(informers: SharedInformers): (nodeName: string) => readonly Pod[] {
  const pods = informers.of<Pod>(podKind);
  pods.addIndex(BY_NODE, ({ spec }) => (spec?.nodeName === undefined ? [] : [spec.nodeName]));
  return (nodeName) => pods.byIndex(BY_NODE, nodeName);
}
