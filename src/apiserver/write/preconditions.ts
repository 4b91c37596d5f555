/** What an object must be for a write to be meant for it. Source: storage/interfaces.go Preconditions.Check. */
import type { AnyKind } from "../../machinery/defineKind.ts";
import { conflict } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { keyOf } from "../store/objectIndex.ts";

export interface Preconditions {
  /** "" asks for nothing. */
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** As the store words it. @throws ApiError 409 */
export function checkPreconditions(
  { kind, ref }: { readonly kind: AnyKind; readonly ref: Parameters<typeof conflict>[0] },
  current: KubeObject,
  { uid = "", resourceVersion = "" }: Preconditions,
): void {
  const { metadata } = current;
  const fault =
    uid !== "" && uid !== metadata.uid
      ? `UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`
      : resourceVersion !== "" && resourceVersion !== metadata.resourceVersion
        ? `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`
        : undefined;
  if (fault === undefined) return;
  const key = `${kind.storagePrefix}/${keyOf(current)}`;
  const reason = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${fault}`;
  throw conflict(ref, metadata.name, reason);
}
