import { expect, it } from "vitest";
import { controllerOf, isControlledBy, isOwnedBy, ownerReferenceFor } from "./ownerReferences.ts";

const set = { metadata: { name: "web", uid: "u1" } };
const kind = { group: "apps", version: "v1", kind: "ReplicaSet" };

it("makes the reference of a controller, and finds it again", () => {
  const reference = ownerReferenceFor(set, kind);
  expect(reference).toEqual({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: "web",
    uid: "u1",
    controller: true,
    blockOwnerDeletion: true,
  });
  const pod = { metadata: { ownerReferences: [{ ...reference, uid: "u0", controller: false }, reference] } };
  expect(controllerOf(pod)).toBe(reference);
  expect(isControlledBy(pod, set)).toBe(true);
  expect(isOwnedBy(pod, "u0")).toBe(true);
  expect(isControlledBy(pod, { metadata: { uid: "u0" } })).toBe(false);
  expect(isControlledBy({ metadata: {} }, set)).toBe(false);
});
