import { describe, expect, test } from "vitest";
import type { Pod } from "../../api/generated/core-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import { labelSelectorOf } from "../../machinery/labelSelector.ts";
import { filterNodes } from "../filtering.ts";
import type { ClusterView, SchedulerPlugin } from "../framework.ts";
import type { NodeInfo } from "../nodeInfo.ts";
import { plan } from "../plan.ts";
import { clusterOf } from "../testing/clusterOf.ts";
import { nodeOf, podOf } from "../testing/objects.ts";
import { podTopologySpread } from "./podTopologySpread.ts";

const plugins = [podTopologySpread] as unknown as SchedulerPlugin[];
const selector = { matchLabels: { app: "web" } };
const spread = (whenUnsatisfiable: string, more: object = {}) => ({
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable, labelSelector: selector, ...more }],
});
const hard = (more: object = {}) => podOf("app=web", spread("DoNotSchedule", more));
const web = (count: number) => Array.from({ length: count }, () => podOf("app=web"));

/** "n1 n3", or why not. */
function fits(pod: Pod, nodes: readonly NodeInfo[]): string {
  const { feasible, diagnosis } = filterNodes({ pod, cluster: clusterOf(nodes), plugins });
  if (feasible.length > 0) return feasible.map(({ name }) => name).join(" ");
  return [...diagnosis.byNode.values()].map(({ reasons }) => reasons.join()).join("; ");
}

describe("a pod that must be spread over zones", () => {
  const MISMATCH = "node(s) didn't match pod topology spread constraints";
  const cases: { name: string; pod: Pod; nodes: readonly NodeInfo[]; want: string }[] = [
    {
      name: "goes where fewer are",
      pod: hard(),
      nodes: [nodeOf("n1 zone=a", web(1)), nodeOf("n2 zone=b")],
      want: "n2",
    },
    {
      name: "goes anywhere within the skew",
      pod: hard({ maxSkew: 2 }),
      nodes: [nodeOf("n1 zone=a", web(1)), nodeOf("n2 zone=b")],
      want: "n1 n2",
    },
    {
      name: "counts all nodes of a zone together",
      pod: hard(),
      nodes: [nodeOf("n1 zone=a"), nodeOf("n2 zone=a", web(1)), nodeOf("n3 zone=b")],
      want: "n3",
    },
    {
      name: "leaves out other namespaces and pods",
      pod: hard(),
      nodes: [nodeOf("n1 zone=a", [podOf("app=web", {}, "other"), podOf("app=db")]), nodeOf("n2 zone=b")],
      want: "n1 n2",
    },
    {
      name: "does not go where there is no such label",
      pod: hard(),
      nodes: [nodeOf("n1")],
      want: `${MISMATCH} (missing required label)`,
    },
    {
      name: "leaves out nodes that its selector leaves out",
      pod: podOf("app=web", { ...spread("DoNotSchedule"), nodeSelector: { disk: "ssd" } }),
      nodes: [nodeOf("n1 zone=a disk=ssd", web(1)), nodeOf("n2 zone=b")],
      want: "n1 n2",
    },
    {
      name: "waits for domains that are still to come",
      pod: hard({ minDomains: 3 }),
      nodes: [nodeOf("n1 zone=a", web(1)), nodeOf("n2 zone=b", web(1))],
      want: `${MISMATCH}; ${MISMATCH}`,
    },
  ];
  test.each(cases)("$name", ({ pod, nodes, want }) => expect(fits(pod, nodes)).toBe(want));
});

describe("a pod that would rather be spread", () => {
  const chosen = (pod: Pod, nodes: readonly NodeInfo[], more: Partial<ClusterView> = {}) => {
    const decided = plan({ pod, cluster: clusterOf(nodes, more), plugins, random: seededRandom("spread") });
    return decided.do === "bind" ? decided.nodeName : decided.message;
  };

  test("goes where fewer are", () => {
    const nodes = [nodeOf("n1 zone=a", web(2)), nodeOf("n2 zone=b", web(1)), nodeOf("n3 zone=a")];
    expect(chosen(podOf("app=web", spread("ScheduleAnyway")), nodes)).toBe("n2");
  });

  test("goes to a node without the label only when there is no other", () => {
    const pod = podOf("app=web", spread("ScheduleAnyway"));
    expect(chosen(pod, [nodeOf("n1"), nodeOf("n2 zone=b", web(9))])).toBe("n2");
    expect(chosen(pod, [nodeOf("n1")])).toBe("n1");
  });

  test("and says nothing of it is spread over nodes, where a service or a set stands behind it", () => {
    const ownSelector = () => labelSelectorOf(selector);
    expect(chosen(podOf("app=web"), [nodeOf("n1", web(3)), nodeOf("n2")], { ownSelector })).toBe("n2");
  });

  test("counts anew when a node's pods change", () => {
    const [first, second] = [nodeOf("n1 zone=a"), nodeOf("n2 zone=b", web(1))];
    const pod = podOf("app=web", spread("ScheduleAnyway"));
    expect(chosen(pod, [first, second])).toBe("n1");
    for (const other of web(2)) first.addPod(other);
    expect(chosen(pod, [first, second])).toBe("n2");
  });
});
