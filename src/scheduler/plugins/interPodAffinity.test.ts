import { describe, expect, test } from "vitest";
import type { Pod } from "../../api/generated/core-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import { filterNodes } from "../filtering.ts";
import type { SchedulerPlugin } from "../framework.ts";
import type { NodeInfo } from "../nodeInfo.ts";
import { plan } from "../plan.ts";
import { clusterOf } from "../testing/clusterOf.ts";
import { nodeOf, podOf } from "../testing/objects.ts";
import { interPodAffinity } from "./interPodAffinity.ts";

const plugins = [interPodAffinity] as unknown as SchedulerPlugin[];
const term = (app: string, more: object = {}) => ({
  topologyKey: "zone",
  labelSelector: { matchLabels: { app } },
  ...more,
});
const must = (kind: "podAffinity" | "podAntiAffinity", ...terms: object[]) => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const would = (kind: "podAffinity" | "podAntiAffinity", podAffinityTerm: object, weight = 10) => ({
  affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm }] } },
});

/** "n1 n3", or why not. */
function fits(pod: Pod, nodes: readonly NodeInfo[]): string {
  const { feasible, diagnosis } = filterNodes({ pod, cluster: clusterOf(nodes), plugins });
  if (feasible.length > 0) return feasible.map(({ name }) => name).join(" ");
  return [...diagnosis.byNode.values()].map(({ reasons }) => reasons.join()).join("; ");
}

describe("a pod", () => {
  const zones = (...pods: Pod[]) => [nodeOf("n1 zone=a", pods), nodeOf("n2 zone=a"), nodeOf("n3 zone=b"), nodeOf("n4")];
  const cases: { name: string; pod: Pod; nodes: readonly NodeInfo[]; want: string }[] = [
    {
      name: "is near another in all of its zone",
      pod: podOf("", must("podAffinity", term("db"))),
      nodes: zones(podOf("app=db")),
      want: "n1 n2",
    },
    {
      name: "has nowhere to go where the other is not",
      pod: podOf("", must("podAffinity", term("db"))),
      nodes: [nodeOf("n1 zone=a")],
      want: "node(s) didn't match pod affinity rules",
    },
    {
      name: "that wants to be near its own kind may be the first",
      pod: podOf("app=web", must("podAffinity", term("web"))),
      nodes: zones(),
      want: "n1 n2 n3",
    },
    {
      name: "keeps away from another's zone",
      pod: podOf("", must("podAntiAffinity", term("db"))),
      nodes: zones(podOf("app=db")),
      want: "n3 n4",
    },
    {
      name: "may not be where it keeps away from",
      pod: podOf("", must("podAntiAffinity", term("db"))),
      nodes: [nodeOf("n1 zone=a", [podOf("app=db")])],
      want: "node(s) didn't match pod anti-affinity rules",
    },
    {
      name: "is kept away by a pod that is there",
      pod: podOf("app=web"),
      nodes: [nodeOf("n1 zone=a", [podOf("", must("podAntiAffinity", term("web")))])],
      want: "node(s) didn't satisfy existing pods anti-affinity rules",
    },
    {
      name: "means pods of its own namespace",
      pod: podOf("", must("podAntiAffinity", term("db"))),
      nodes: zones(podOf("app=db", {}, "other")),
      want: "n1 n2 n3 n4",
    },
    {
      name: "means pods of the namespaces that it names",
      pod: podOf("", must("podAntiAffinity", term("db", { namespaces: ["other"] }))),
      nodes: zones(podOf("app=db", {}, "other")),
      want: "n3 n4",
    },
    {
      name: "means pods of the namespaces that it selects",
      pod: podOf(
        "",
        must(
          "podAntiAffinity",
          term("db", { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "other" } } }),
        ),
      ),
      nodes: zones(podOf("app=db", {}, "other")),
      want: "n3 n4",
    },
    {
      name: "is near only what all of its terms mean",
      pod: podOf("", must("podAffinity", term("db"), term("cache"))),
      nodes: [nodeOf("n1 zone=a", [podOf("app=db"), podOf("app=cache")])],
      want: "node(s) didn't match pod affinity rules",
    },
  ];
  test.each(cases)("$name", ({ pod, nodes, want }) => expect(fits(pod, nodes)).toBe(want));

  const chosen = (pod: Pod, nodes: readonly NodeInfo[]) => {
    const decided = plan({ pod, cluster: clusterOf(nodes), plugins, random: seededRandom("near") });
    return decided.do === "bind" ? decided.nodeName : decided.message;
  };
  const two = (pod: Pod) => [nodeOf("n1 zone=a", [pod]), nodeOf("n2 zone=b")];
  const wishes: { name: string; pod: Pod; there: Pod; want: string }[] = [
    {
      name: "would rather be near",
      pod: podOf("", would("podAffinity", term("db"))),
      there: podOf("app=db"),
      want: "n1",
    },
    {
      name: "would rather be far",
      pod: podOf("", would("podAntiAffinity", term("db"))),
      there: podOf("app=db"),
      want: "n2",
    },
    { name: "is wished near", pod: podOf("app=web"), there: podOf("", would("podAffinity", term("web"))), want: "n1" },
    {
      name: "is wished far",
      pod: podOf("app=web"),
      there: podOf("", would("podAntiAffinity", term("web"))),
      want: "n2",
    },
    { name: "is demanded near", pod: podOf("app=web"), there: podOf("", must("podAffinity", term("web"))), want: "n1" },
  ];
  test.each(wishes)("$name", ({ pod, there, want }) => expect(chosen(pod, two(there))).toBe(want));
});
