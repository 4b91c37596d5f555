import type { Node, Pod } from "../../api/generated/core-v1.ts";
import { MutableNodeInfo } from "../nodeInfo.ts";

let uids = 0;

/** @param labels "app=web tier=front" */
export const podOf = (labels = "", spec: object = {}, namespace = "default"): Pod =>
  ({
    metadata: { name: `p${uids}`, namespace, uid: `u${uids++}`, labels: labelsOf(labels) },
    spec: { containers: [{ name: "c" }], ...spec },
    status: {},
  }) as unknown as Pod;

/** @param text "n1 zone=a": its name, which is also its label kubernetes.io/hostname, and its labels */
export function nodeOf(text: string, pods: readonly Pod[] = [], images: object[] = []): MutableNodeInfo {
  const [name = "", ...labels] = text.split(" ");
  const info = new MutableNodeInfo({
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labelsOf(labels.join(" ")) } },
    spec: {},
    status: { allocatable: { cpu: "8", memory: "8Gi", pods: "110" }, images },
  } as unknown as Node);
  for (const pod of pods) info.addPod(pod);
  return info;
}

const labelsOf = (text: string): Record<string, string> =>
  Object.fromEntries(text.split(" ").flatMap((word) => (word.includes("=") ? [word.split("=")] : [])));
