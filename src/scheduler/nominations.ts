import type { Pod } from "../api/generated/core-v1.ts";

/** Pods that wait on a node for which room is being made there. Source: pkg/scheduler/backend/queue/nominator.go. */
export class Nominations {
  readonly #byUid = new Map<string, { readonly pod: Pod; readonly nodeName: string }>();
  readonly #byNode = new Map<string, Map<string, Pod>>();

  set(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    this.remove(uid);
    this.#byUid.set(uid, { pod, nodeName });
    const onNode = this.#byNode.get(nodeName) ?? new Map<string, Pod>();
    this.#byNode.set(nodeName, onNode.set(uid, pod));
  }

  remove(uid: string): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    this.#byUid.delete(uid);
    const onNode = this.#byNode.get(known.nodeName);
    onNode?.delete(uid);
    if (onNode?.size === 0) this.#byNode.delete(known.nodeName);
  }

  nodeOf(uid: string): string | undefined {
    return this.#byUid.get(uid)?.nodeName;
  }

  on(nodeName: string): readonly Pod[] {
    return [...(this.#byNode.get(nodeName)?.values() ?? [])];
  }
}
