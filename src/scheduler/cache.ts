/**
 * What the scheduler believes of the nodes: what the API has shown, and the pods that it has just assigned itself
 * (assumed), so that two pods tried one after the other do not take the same room.
 */
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { MutableNodeInfo, type NodeInfo } from "./nodeInfo.ts";

export class SchedulerCache {
  readonly #nodes = new Map<string, MutableNodeInfo>();
  /** Node of each pod counted, by uid. */
  readonly #placed = new Map<string, string>();
  /** Pods on nodes that are not known (yet). */
  readonly #homeless = new Map<string, Pod>();

  get nodes(): NodeInfo[] {
    return [...this.#nodes.values()];
  }

  setNode(node: Node): void {
    const known = this.#nodes.get(node.metadata.name);
    if (known !== undefined) {
      known.setNode(node);
      return;
    }
    const info = new MutableNodeInfo(node);
    this.#nodes.set(info.name, info);
    for (const [uid, pod] of this.#homeless) {
      if (pod.spec.nodeName !== info.name) continue;
      this.#homeless.delete(uid);
      info.addPod(pod);
    }
  }

  removeNode(name: string): void {
    const known = this.#nodes.get(name);
    if (known === undefined) return;
    this.#nodes.delete(name);
    for (const [uid, pod] of known.pods) this.#homeless.set(uid, pod);
  }

  /** A pod with a node, as the API shows it or as we have just decided. */
  place(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    if (this.#placed.get(uid) !== nodeName) this.remove(uid);
    this.#placed.set(uid, nodeName);
    const node = this.#nodes.get(nodeName);
    if (node === undefined) this.#homeless.set(uid, pod);
    else node.addPod(pod);
  }

  /** Gone, ended, or not assigned after all. */
  remove(uid: string): void {
    const nodeName = this.#placed.get(uid);
    if (nodeName === undefined) return;
    this.#placed.delete(uid);
    this.#homeless.delete(uid);
    this.#nodes.get(nodeName)?.removePod(uid);
  }
}
