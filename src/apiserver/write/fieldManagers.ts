/** The seam to server-side apply: who owns which field. */
import type { AnyKind } from "../../machinery/defineKind.ts";
import type { KubeObject } from "../../machinery/object.ts";

export interface FieldManagement {
  readonly kind: AnyKind;
  readonly manager: string;
  readonly subresource: string;
  readonly nowMs: number;
}

export interface FieldManagers {
  /** `next` with its managedFields, as written by something else than apply. */
  update(live: KubeObject | undefined, next: KubeObject, management: FieldManagement): KubeObject;
  /** The result of an apply. @throws ApiError Conflict */
  apply(
    live: KubeObject | undefined,
    applied: KubeObject,
    management: FieldManagement & { readonly force: boolean },
  ): KubeObject;
}
