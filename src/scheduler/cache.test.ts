import { expect, test } from "vitest";
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { SchedulerCache } from "./cache.ts";

const node = (name: string): Node =>
  ({ metadata: { name }, spec: {}, status: { allocatable: { cpu: "4" } } }) as unknown as Node;
const pod = (uid: string, nodeName = "", cpu = "1"): Pod =>
  ({
    metadata: { name: uid, uid },
    spec: { nodeName, containers: [{ name: "c", resources: { requests: { cpu } } }] },
    status: {},
  }) as unknown as Pod;

/** "a=1000 b=0": CPU asked for by node, in millicores. */
const usage = ({ nodes }: SchedulerCache) =>
  nodes.map(({ name, requested }) => `${name}=${requested.cpu ?? 0}`).join(" ");

test("pods wait for a node that is not known yet, and for one that comes back", () => {
  const cache = new SchedulerCache();
  cache.place(pod("p", "a"), "a");
  cache.setNode(node("a"));
  expect(usage(cache)).toBe("a=1000");
  cache.removeNode("a");
  expect(usage(cache)).toBe("");
  cache.setNode(node("b"));
  cache.setNode(node("a"));
  expect(usage(cache)).toBe("b=0 a=1000");
});

test("a pod that goes while its node is away is not counted when the node is back", () => {
  const cache = new SchedulerCache();
  cache.setNode(node("a"));
  cache.place(pod("p", "a"), "a");
  cache.removeNode("a");
  expect(cache.remove("p")).toBe(true);
  cache.setNode(node("a"));
  expect(usage(cache)).toBe("a=0");
  expect(cache.remove("p")).toBe(false);
});

test("a pod counts once, as its newest revision asks and where it is", () => {
  const cache = new SchedulerCache();
  for (const name of ["a", "b"]) cache.setNode(node(name));
  cache.assume(pod("p"), "a");
  expect(cache.isAssumed("p")).toBe(true);
  cache.place(pod("p", "a", "2"), "a");
  expect(cache.isAssumed("p")).toBe(false);
  expect(usage(cache)).toBe("a=2000 b=0");
  cache.place(pod("p", "b", "3"), "b");
  expect(usage(cache)).toBe("a=0 b=3000");
});
