import type { KubeObject } from "../../machinery/object.ts";
import { withoutDuplicates } from "../../machinery/ownerReferences.ts";
import type { ResourceRequest } from "../context.ts";

/** Source: endpoints/handlers rest.go, DuplicateOwnerReferencesWarningFormat and …AfterMutatingAdmissionWarningFormat. */
const warningText = (uids: readonly string[], afterAdmission: boolean): string =>
  `.metadata.ownerReferences contains duplicate entries${afterAdmission ? " after mutating admission happens" : ""}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids.join(", ")}`;

/** An owner that is named twice stays once, and whoever sent it is told. */
export function withOwnersOnce(object: KubeObject, call: ResourceRequest, { afterAdmission = false } = {}): KubeObject {
  const { references, droppedUids } = withoutDuplicates(object.metadata.ownerReferences);
  if (droppedUids.length === 0) return object;
  call.warnings.push(warningText(droppedUids, afterAdmission));
  return { ...object, metadata: { ...object.metadata, ownerReferences: references } };
}
