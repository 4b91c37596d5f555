/** Pods stay on a node that is gone for five minutes. Source: kubernetes plugin/pkg/admission/defaulttolerationseconds. */
import type { Pod, PodSpec, Toleration } from "../../api/generated/core-v1.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { AdmissionPluginFactory } from "./chain.ts";
import { isPod } from "./pods.ts";

/** Source: kube-apiserver --default-not-ready-toleration-seconds and --default-unreachable-toleration-seconds. */
const TOLERATION_SECONDS = 300;
const TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

const covers = ({ key = "", effect = "" }: Toleration, taint: string): boolean =>
  (key === taint || key === "") && (effect === "NoExecute" || effect === "");

export const defaultTolerationSeconds: AdmissionPluginFactory = () => ({
  name: "DefaultTolerationSeconds",
  mutate: (request) => {
    const { operation, object } = request;
    if (operation === "DELETE" || object === undefined || !isPod(request)) return object;
    const pod = object as unknown as Pod;
    const tolerations = pod.spec?.tolerations ?? [];
    const missing = TAINTS.filter((taint) => !tolerations.some((toleration) => covers(toleration, taint)));
    if (missing.length === 0) return object;
    const added = missing.map(
      (key): Toleration => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: TOLERATION_SECONDS }),
    );
    const spec: PodSpec = { ...(pod.spec as PodSpec), tolerations: [...tolerations, ...added] };
    return { ...pod, spec } as unknown as KubeObject;
  },
});
