import { describe, expect, test } from "vitest";
import type { Pod } from "../../api/generated/core-v1.ts";
import { containerFor, nodeOf } from "./podConnection.ts";
import { kubeletPath } from "./podUpgrade.ts";

/** "i: a b e": init container i, containers a and b, ephemeral container e. */
function pod(text: string, nodeName?: string): Pod {
  const named = (names = "") => names.split(" ").flatMap((name) => (name === "" ? [] : [{ name }]));
  const [initial, containers, ephemeral] = text.split("|");
  return {
    metadata: { name: "p", namespace: "default" },
    spec: {
      initContainers: named(initial),
      containers: named(containers),
      ephemeralContainers: named(ephemeral),
      nodeName,
    },
  } as unknown as Pod;
}

describe("the container that is meant", () => {
  const choose = "a container name must be specified for pod p, choose one of:";
  const cases: [name: string, pod: string, asked: string | null, want: string][] = [
    ["the only one, unasked", "|a|", null, "a"],
    ["the only one, asked for with nothing", "|a|", "", "a"],
    ["the only one that stays, beside others", "i|a|e", null, "a"],
    ["an init container by name", "i|a|e", "i", "i"],
    ["an ephemeral container by name", "i|a|e", "e", "e"],
  ];
  for (const [name, text, asked, want] of cases) test(name, () => expect(containerFor(pod(text), asked)).toBe(want));

  const refused: [name: string, pod: string, asked: string | null, want: string][] = [
    ["one of several has to be named", "|a b|", null, `${choose} [a b]`],
    ["all are offered", "i|a b|e", null, `${choose} [i a b e]`],
    ["one that is not there is refused", "|a|", "x", "container x is not valid for pod p"],
  ];
  for (const [name, text, asked, want] of refused)
    test(name, () => expect(() => containerFor(pod(text), asked)).toThrow(want));
});

describe("the way to the kubelet", () => {
  const query = new URLSearchParams("stdout=true&command=echo&command=a+b%26c");
  test("exec and attach name the container, and the query stays whole", () => {
    expect(kubeletPath(pod("|a|"), "exec", query)).toBe("/exec/default/p/a?stdout=true&command=echo&command=a+b%26c");
    expect(kubeletPath(pod("|a b|"), "attach", new URLSearchParams("container=b"))).toBe(
      "/attach/default/p/b?container=b",
    );
  });
  test("port-forward means the whole pod", () => {
    expect(kubeletPath(pod("|a b|"), "portforward", new URLSearchParams("ports=80"))).toBe(
      "/portForward/default/p?ports=80",
    );
  });
  test("a pod without a node has none", () => {
    expect(nodeOf(pod("|a|", "n1"))).toBe("n1");
    for (const nodeName of [undefined, ""])
      expect(() => nodeOf(pod("|a|", nodeName))).toThrow("pod p does not have a host assigned");
  });
});
