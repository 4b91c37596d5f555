/** Who owns whom, by uid, as the informers of all kinds show it. Only metadata is looked at. */

import type { KubeObject } from "../../machinery/object.ts";
import { type KindRef, kindKey } from "./kindKey.ts";

export interface GraphObject {
  readonly kind: KindRef;
  readonly object: KubeObject;
}

export class OwnerGraph {
  readonly #byUid = new Map<string, GraphObject>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphObject | undefined {
    return this.#byUid.get(uid);
  }

  set(kind: KindRef, object: KubeObject): void {
    const { uid } = object.metadata;
    const before = this.#byUid.get(uid);
    if (before !== undefined) this.#unlink(before.object);
    this.#byUid.set(uid, { kind, object });
    for (const owner of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      if (dependents === undefined) this.#dependents.set(owner.uid, new Set([uid]));
      else dependents.add(uid);
    }
  }

  /** An object of the same uid but another kind is left alone: one object may be served under two groups. */
  delete(kind: KindRef, uid: string): void {
    const present = this.#byUid.get(uid);
    if (present === undefined || kindKey(present.kind) !== kindKey(kind)) return;
    this.#unlink(present.object);
    this.#byUid.delete(uid);
  }

  dependentsOf(uid: string): readonly GraphObject[] {
    return [...(this.#dependents.get(uid) ?? [])]
      .map((dependent) => this.#byUid.get(dependent))
      .filter((o) => o !== undefined);
  }

  #unlink(object: KubeObject): void {
    for (const owner of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(object.metadata.uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}
