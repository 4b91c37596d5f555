import { expect, test } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import type { SchedulerPlugin } from "../framework.ts";
import { plan } from "../plan.ts";
import { clusterOf } from "../testing/clusterOf.ts";
import { nodeOf, podOf } from "../testing/objects.ts";
import { imageLocality } from "./imageLocality.ts";

const plugins = [imageLocality] as unknown as SchedulerPlugin[];
const image = (name: string, sizeMi: number) => ({ names: [name], sizeBytes: sizeMi * 1024 * 1024 });
const web = podOf("", { containers: [{ name: "c", image: "web" }] });

test.each([
  { name: "a node that has the image comes first", nodes: [nodeOf("a"), nodeOf("b", [], [image("web:latest", 400)])] },
  {
    name: "another tag is another image",
    nodes: [nodeOf("a", [], [image("web:1", 400)]), nodeOf("b", [], [image("web:latest", 400)])],
  },
])("$name", ({ nodes }) => {
  const decided = plan({ pod: web, cluster: clusterOf(nodes), plugins, random: seededRandom("image") });
  expect(decided).toEqual({ do: "bind", nodeName: "b" });
});

test.each([
  { sizeMi: 22, nodes: 1, want: 0 },
  { sizeMi: 1000, nodes: 1, want: 100 },
  { sizeMi: 1000, nodes: 2, want: 48 },
])("$sizeMi MiB on one node of $nodes are worth $want", ({ sizeMi, nodes, want }) => {
  const [first, ...others] = Array.from({ length: nodes }, (_, index) =>
    nodeOf(`n${index}`, [], index === 0 ? [image("web:latest", sizeMi)] : []),
  );
  const all = [first as ReturnType<typeof nodeOf>, ...others];
  const scoring = imageLocality.prepareScore?.(web, all, clusterOf(all));
  expect(imageLocality.score?.(web, all[0] as never, scoring as never)).toBe(want);
});
