/** Who owns which field: managedFields on every write. */
import { applyObject, type FieldSet, fieldSetOf, updateManagedFields } from "../../machinery/apply/managedFields.ts";
import type { AnyKind } from "../../machinery/defineKind.ts";
import { apiVersionOf, type KubeObject } from "../../machinery/object.ts";
import type { Codecs } from "../codecs.ts";

export interface FieldManagement {
  readonly kind: AnyKind;
  readonly manager: string;
  readonly subresource: string;
  readonly nowMs: number;
}

export interface FieldManagers {
  /** `next` with its managedFields, as written by something else than apply. */
  update(live: KubeObject | undefined, next: KubeObject, management: FieldManagement): KubeObject;
  /** The result of an apply; `live` itself where nothing changes. @throws ApiError Conflict */
  apply(
    live: KubeObject | undefined,
    applied: KubeObject,
    management: FieldManagement & { readonly force: boolean },
  ): KubeObject;
}

export function createFieldManagers(codecs: Codecs): FieldManagers {
  const inputFor = ({ kind, ...rest }: FieldManagement) => ({
    ...rest,
    apiVersion: apiVersionOf(kind),
    schema: codecs.schemaOf(kind),
    ...resetFields(kind, rest.subresource),
  });
  return {
    update: (live, next, management) => updateManagedFields({ live, next, ...inputFor(management) }),
    apply: (live, applied, { force, ...management }) =>
      applyObject({
        live,
        applied: applied as unknown as Readonly<Record<string, unknown>>,
        force,
        kind: management.kind.kind,
        ...inputFor(management),
      }),
  };
}

const STATUS = fieldSetOf("status");
const ALL_BUT_STATUS = fieldSetOf("spec", "metadata.ownerReferences");

/** What an endpoint cannot change is owned by nobody through it. Source: registry ResetFieldsStrategy of each kind. */
function resetFields({ subresources }: AnyKind, subresource: string): { readonly resetFields?: FieldSet } {
  if (subresources.status !== true) return {};
  if (subresource === "") return { resetFields: STATUS };
  return subresource === "status" ? { resetFields: ALL_BUT_STATUS } : {};
}
