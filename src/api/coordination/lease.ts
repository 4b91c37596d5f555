import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import type { Lease } from "../generated/coordination-v1.ts";
import { validateLease, withoutCoordination } from "./leaseValidation.ts";

/** Who holds something, and until when. */
export const lease = defineKind<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
  createOnUpdate: true,
  unconditionalUpdate: false,
  prepareForCreate: (lease) => withoutCoordination(lease),
  prepareForUpdate: withoutCoordination,
  validate: validateLease,
  columns: [
    nameColumn,
    { name: "Holder", type: "string", value: (lease) => lease.spec?.holderIdentity ?? "" },
    ageColumn,
  ],
});
