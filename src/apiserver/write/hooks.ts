/** What belongs to a kind's writes beyond its definition, because it has a state of its own: allocators, mostly. */
import type { KubeObject } from "../../machinery/object.ts";
import type { UserInfo } from "../../machinery/requests.ts";

/** An object that is about to be written, and how to take back what was taken for it when the write fails. */
export interface Begun {
  readonly object: KubeObject;
  readonly finish?: (hasSucceeded: boolean) => void;
}

export interface HookContext {
  readonly dryRun: boolean;
  readonly user: UserInfo;
  /** Of the request; "" for a cluster's kind. */
  readonly namespace: string;
}

export interface WriteHook {
  readonly group: string;
  readonly plural: string;
  /** Before an object is validated and stored. @throws ApiError to refuse */
  readonly beginCreate?: (object: KubeObject, context: HookContext) => Begun | Promise<Begun>;
  readonly beginUpdate?: (next: KubeObject, previous: KubeObject, context: HookContext) => Begun | Promise<Begun>;
  /** It is gone from the store, whoever deleted it. */
  readonly afterDelete?: (object: KubeObject) => void;
  /** Something beyond `metadata.finalizers` keeps a deleted object (a Namespace's `spec.finalizers`). */
  readonly holdsDeletion?: (object: KubeObject) => boolean;
  /** How an object looks once its deletion has begun, beside its deletionTimestamp. */
  readonly markDeleting?: (object: KubeObject) => KubeObject;
  /** Every so often, and once at the start: puts right what went wrong. */
  readonly repair?: () => void | Promise<void>;
}

export interface WriteHooks {
  of(group: string, plural: string): WriteHook | undefined;
  readonly all: readonly WriteHook[];
}

export function writeHooks(hooks: readonly WriteHook[]): WriteHooks {
  const byName = new Map(hooks.map((hook) => [`${hook.group}/${hook.plural}`, hook]));
  return { all: hooks, of: (group, plural) => byName.get(`${group}/${plural}`) };
}
