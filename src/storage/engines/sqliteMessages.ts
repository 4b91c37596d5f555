import type { EncodedRecords } from "./recordCodec.ts";

/** Why the file could not be opened: an error's class does not survive the way between threads. */
export type Refusal =
  | { readonly kind: "locked" }
  | { readonly kind: "damaged"; readonly reason: string }
  | { readonly kind: "failed"; readonly message: string };

/** What the storage asks its worker. One commit at a time. */
export type ToSqliteWorker =
  | {
      readonly type: "commit";
      readonly records: EncodedRecords;
      readonly superseded: readonly number[];
      readonly compactedRevision: number;
    }
  | { readonly type: "close" };

/** What the worker says: `records` (any number of times) and then `opened`, or `refused`; then an answer to each ask. */
export type FromSqliteWorker =
  | { readonly type: "records"; readonly records: EncodedRecords }
  | { readonly type: "opened"; readonly compactedRevision: number }
  | { readonly type: "refused"; readonly because: Refusal }
  | { readonly type: "committed" }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "closed" };
