/** Turns the name of a PriorityClass into a number. Source: kubernetes plugin/pkg/admission/priority. */
import type { Pod, PodSpec } from "../../api/generated/core-v1.ts";
import type { PriorityClass } from "../../api/generated/scheduling-v1.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { Reader } from "../reader.ts";
import type { AdmissionPluginFactory, AdmissionRequest } from "./chain.ts";
import { isPod } from "./pods.ts";
import { refusal } from "./refusal.ts";

const CLASSES = { group: "scheduling.k8s.io", resource: "priorityclasses" };
/** Source: apis/scheduling DefaultPriorityWhenNoDefaultClassExists. */
const PRIORITY_WITHOUT_CLASS = 0;
const PREEMPTION_POLICY = "PreemptLowerPriority";

export const priority: AdmissionPluginFactory = ({ reader }) => ({
  name: "Priority",
  mutate: (request) => {
    if (request.object === undefined || !isPod(request)) return request.object;
    if (request.operation === "CREATE") return withPriority(request, reader);
    return request.operation === "UPDATE" ? keptPriority(request) : request.object;
  },
  validate: (request) => {
    if (request.operation === "DELETE" || request.ref.resource !== CLASSES.resource) return;
    checkOneDefault(request, reader);
  },
});

/** Of several defaults, left over from older versions, the one with the lowest value counts. */
const defaultClass = (reader: Reader): PriorityClass | undefined =>
  reader
    .list<PriorityClass>(CLASSES)
    .filter(({ globalDefault }) => globalDefault === true)
    .toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];

function withPriority(request: AdmissionRequest, reader: Reader): KubeObject {
  const pod = request.object as unknown as Pod;
  const { priorityClassName: name = "", priority: given, preemptionPolicy: policy } = pod.spec as PodSpec;
  const found = name === "" ? defaultClass(reader) : reader.get<PriorityClass>(CLASSES, "", name);
  if (name !== "" && found === undefined) throw refusal(request, `no PriorityClass with name ${name} was found`);
  const computed = found?.value ?? PRIORITY_WITHOUT_CLASS;
  const computedPolicy = found?.preemptionPolicy ?? PREEMPTION_POLICY;
  const provided = "must not be provided in pod spec; priority admission controller computed";
  const from = "from the given PriorityClass name";
  if (given !== undefined && given !== computed) {
    throw refusal(request, `the integer value of priority (${given}) ${provided} ${computed} ${from}`);
  }
  if (policy !== undefined && policy !== computedPolicy) {
    throw refusal(request, `the string value of PreemptionPolicy (${policy}) ${provided} ${computedPolicy} ${from}`);
  }
  const spec = {
    ...pod.spec,
    ...(found !== undefined && { priorityClassName: found.metadata.name }),
    priority: computed,
    preemptionPolicy: computedPolicy,
  };
  return { ...pod, spec } as unknown as KubeObject;
}

/** Whoever updates a pod without saying its priority means the one that it has. */
function keptPriority({ object, oldObject }: AdmissionRequest): KubeObject {
  const pod = object as unknown as Pod;
  const { priority, preemptionPolicy } = (oldObject as unknown as Pod).spec ?? {};
  const isKept = pod.spec?.priority !== undefined || priority === undefined;
  if (isKept && (pod.spec?.preemptionPolicy !== undefined || preemptionPolicy === undefined))
    return object as KubeObject;
  const spec = {
    ...pod.spec,
    priority: pod.spec?.priority ?? priority,
    preemptionPolicy: pod.spec?.preemptionPolicy ?? preemptionPolicy,
  };
  return { ...pod, spec } as unknown as KubeObject;
}

function checkOneDefault(request: AdmissionRequest, reader: Reader): void {
  const wanted = request.object as unknown as PriorityClass;
  if (wanted.globalDefault !== true) return;
  const known = defaultClass(reader);
  if (known === undefined || known.metadata.name === wanted.metadata.name) return;
  const message = `PriorityClass ${known.metadata.name} is already marked as default. Only one default can exist`;
  throw refusal(request, message);
}
