/**
 * What the scheduler believes of the nodes: what the API has shown, and the pods that it has just assigned itself
 * (assumed), so that two pods tried one after the other do not take the same room.
 */
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { MutableNodeInfo, type NodeInfo } from "./nodeInfo.ts";

export class SchedulerCache {
  readonly #nodes = new Map<string, MutableNodeInfo>();
  /** As given out; made anew when a node comes or goes. */
  #list: readonly NodeInfo[] | undefined;
  /** Node of each pod counted, by uid. */
  readonly #placed = new Map<string, string>();
  /** Uids of those that the API has not shown there yet. */
  readonly #assumed = new Set<string>();
  /** Pods on nodes that are not known (yet), by node and uid. */
  readonly #homeless = new Map<string, Map<string, Pod>>();

  /** Oldest first. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()];
    return this.#list;
  }

  setNode(node: Node): void {
    const known = this.#nodes.get(node.metadata.name);
    if (known !== undefined) {
      known.setNode(node);
      return;
    }
    const info = new MutableNodeInfo(node);
    this.#nodes.set(info.name, info);
    this.#list = undefined;
    for (const pod of this.#homeless.get(info.name)?.values() ?? []) info.addPod(pod);
    this.#homeless.delete(info.name);
  }

  removeNode(name: string): void {
    const known = this.#nodes.get(name);
    if (known === undefined) return;
    this.#nodes.delete(name);
    this.#list = undefined;
    if (known.pods.size > 0) this.#homeless.set(name, new Map(known.pods));
  }

  /** Counts a pod where we have just decided that it goes. */
  assume(pod: Pod, nodeName: string): void {
    this.place(pod, nodeName);
    this.#assumed.add(pod.metadata.uid);
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid);
  }

  /** A pod with a node, as the API shows it. @returns whether that is news */
  place(pod: Pod, nodeName: string): boolean {
    const { uid } = pod.metadata;
    const isNews = this.#assumed.delete(uid) || !this.#placed.has(uid);
    if (this.#placed.get(uid) !== nodeName) this.remove(uid);
    this.#placed.set(uid, nodeName);
    const node = this.#nodes.get(nodeName);
    if (node !== undefined) {
      node.addPod(pod);
      return isNews;
    }
    const homeless = this.#homeless.get(nodeName) ?? new Map<string, Pod>();
    this.#homeless.set(nodeName, homeless.set(uid, pod));
    return isNews;
  }

  /** Gone, ended, or not assigned after all. @returns whether it had taken room */
  remove(uid: string): boolean {
    const nodeName = this.#placed.get(uid);
    if (nodeName === undefined) return false;
    this.#placed.delete(uid);
    this.#assumed.delete(uid);
    this.#nodes.get(nodeName)?.removePod(uid);
    const homeless = this.#homeless.get(nodeName);
    homeless?.delete(uid);
    if (homeless?.size === 0) this.#homeless.delete(nodeName);
    return true;
  }
}
