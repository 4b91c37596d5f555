import type { Pod } from "../../api/generated/core-v1.ts";
import { NODE_SCORE_MAX, type SchedulerPlugin } from "../framework.ts";

const MI = 1024 * 1024;
/** Images smaller than this are soon pulled. Source: image_locality.go, minThreshold. */
const SUM_MIN_BYTES = 23 * MI;
/** As above, maxContainerThreshold. */
const PER_CONTAINER_MAX_BYTES = 1000 * MI;

interface Images {
  /** Bytes of each image that counts, made smaller the fewer nodes have it, so that not all pods go to those few. */
  readonly weighed: ReadonlyMap<string, number>;
  /** Of the pod, one for each container. */
  readonly names: readonly string[];
}

/** Nodes that have the images already. Source: plugins/imagelocality. */
export const imageLocality: SchedulerPlugin<unknown, Images> = {
  name: "ImageLocality",
  weight: 1,
  prepareScore: (pod, _feasible, { nodes }) => {
    const names = imagesOf(pod);
    const weighed = new Map(
      names.map((name) => {
        const sizes = nodes.map(({ images }) => images.get(name)).filter((size) => size !== undefined);
        return [name, Math.floor(((sizes[0] ?? 0) * sizes.length) / nodes.length)];
      }),
    );
    return { names, weighed };
  },
  score: (_pod, { images }, { names, weighed }) => {
    const sum = names.reduce((total, name) => total + (images.has(name) ? (weighed.get(name) ?? 0) : 0), 0);
    const most = PER_CONTAINER_MAX_BYTES * names.length;
    const within = Math.min(most, Math.max(SUM_MIN_BYTES, sum));
    return Math.floor((NODE_SCORE_MAX * (within - SUM_MIN_BYTES)) / (most - SUM_MIN_BYTES));
  },
  helpedBy: [],
};

const imagesOf = ({ spec }: Pod): readonly string[] =>
  [...(spec.initContainers ?? []), ...spec.containers].map(({ image = "" }) => withTag(image));

/** As the node's status names it. Source: normalizedImageName. */
const withTag = (image: string) => (image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image);
