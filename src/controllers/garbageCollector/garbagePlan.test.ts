import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../machinery/object.ts";
import { type GarbageAction, type OwnerState, plan } from "./garbagePlan.ts";

/** "a" an object, "a!" one being deleted, "a!f" in the foreground, "a!o" orphaning; "a<b" owned by b, "a<+b" blocking it. */
function objectFrom(word: string): KubeObject {
  const [, name = "", going, policy, blocking, owner] = /^([a-z]+)(!)?([fo])?(?:<(\+)?([a-z]+))?$/.exec(word) ?? [];
  const finalizer = policy === "f" ? "foregroundDeletion" : "orphan";
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "",
      ...(going !== undefined && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      ...(policy !== undefined && { finalizers: [finalizer] }),
      ...(owner !== undefined && {
        ownerReferences: [
          { apiVersion: "v1", kind: "ConfigMap", name: owner, uid: owner, blockOwnerDeletion: blocking === "+" },
        ],
      }),
    },
  };
}

const shown = (action: GarbageAction): string => {
  switch (action.do) {
    case "set-owners":
      return `owners(${action.object.metadata.name})=${action.ownerReferences.map(({ name }) => name).join("+")}`;
    case "remove-finalizer":
      return `-${action.finalizer}`;
    case "delete":
      return `delete:${action.policy}`;
    case "visit":
      return `visit:${action.uids.join("+")}`;
  }
};

const cases: { name: string; object: string; owners?: string; dependents?: string; want: string }[] = [
  { name: "nothing owned stays", object: "a", want: "" },
  { name: "what has an owner stays", object: "a<b", owners: "b:solid", want: "" },
  { name: "what lost its only owner goes", object: "a<b", owners: "b:absent", want: "delete:Background" },
  { name: "what lost one of two owners forgets it", object: "a<b", owners: "b:absent c:solid", want: "owners(a)=c" },
  { name: "what an owner waits for goes", object: "a<+b", owners: "b:waiting", want: "delete:Background" },
  {
    name: "what an owner waits for and another keeps, stays",
    object: "a<+b",
    owners: "b:waiting c:solid",
    want: "owners(a)=c",
  },
  {
    name: "what an owner waits for goes after its own dependents",
    object: "a<+b",
    owners: "b:waiting",
    dependents: "x<+a",
    want: "delete:Foreground",
  },
  {
    name: "a circle of waiting is broken",
    object: "a<+b",
    owners: "b:waiting",
    dependents: "b!f<+a",
    want: "owners(a)=b delete:Foreground",
  },
  {
    name: "an owner in the foreground has its dependents looked at",
    object: "a!f",
    dependents: "x<+a y!<+a",
    want: "visit:x",
  },
  { name: "an owner in the foreground waits for dying dependents", object: "a!f", dependents: "y!<+a", want: "" },
  {
    name: "an owner in the foreground does not wait for those that do not block",
    object: "a!f",
    dependents: "x<a",
    want: "-foregroundDeletion",
  },
  { name: "an orphaning owner lets its dependents go", object: "a!o", dependents: "x<a", want: "owners(x)= -orphan" },
  { name: "what is being deleted anyway is left alone", object: "a!<b", owners: "b:absent", want: "" },
];

describe("garbage", () => {
  it.each(cases)("$name", ({ object, owners = "", dependents = "", want }) => {
    const words = (text: string) => text.split(" ").filter((word) => word !== "");
    const states = words(owners).map((word) => {
      const [name = "", state] = word.split(":");
      return { reference: { apiVersion: "v1", kind: "ConfigMap", name, uid: name }, state: state as OwnerState };
    });
    const actions = plan({ object: objectFrom(object), owners: states, dependents: words(dependents).map(objectFrom) });
    expect(actions.map(shown).join(" ")).toBe(want);
  });
});
