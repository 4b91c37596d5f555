import { describe, expect, test } from "vitest";
import { type NodeRequirements, nodeRequirementsMatch } from "./nodeSelectorTerms.ts";

const node = { name: "n1", labels: { zone: "a", cpus: "8" } };
const required = (...nodeSelectorTerms: object[]): NodeRequirements => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const inZone = (zone: string) => ({ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] });
const named = (name: string) => ({ matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] });

describe("node n1 with zone=a and cpus=8", () => {
  test.each<{ readonly name: string; readonly spec: NodeRequirements | undefined; readonly want: boolean }>([
    { name: "suits who demands nothing", spec: undefined, want: true },
    { name: "suits a selector of its label", spec: { nodeSelector: { zone: "a" } }, want: true },
    { name: "does not suit a selector of another", spec: { nodeSelector: { zone: "b" } }, want: false },
    { name: "suits one of two terms", spec: required(inZone("b"), inZone("a")), want: true },
    { name: "suits its name", spec: required(named("n1")), want: true },
    { name: "needs all of a term", spec: required({ ...inZone("a"), ...named("n2") }), want: false },
    { name: "does not suit an empty term", spec: required({}), want: false },
    {
      name: "compares numbers",
      spec: required({ matchExpressions: [{ key: "cpus", operator: "Gt", values: ["4"] }] }),
      want: true,
    },
    {
      name: "needs selector and affinity",
      spec: { nodeSelector: { zone: "b" }, ...required(inZone("a")) },
      want: false,
    },
  ])("$name", ({ spec, want }) => {
    expect(nodeRequirementsMatch(spec, node)).toBe(want);
  });
});
