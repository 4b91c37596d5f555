/** Checks of a pod. Source: core/validation ValidatePodCreate, validatePodMetadataAndSpec (v1.36). */
import type { WriteContext } from "../../machinery/defineKind.ts";
import { type FieldError, FieldPath, forbiddenField } from "../../machinery/fieldErrors.ts";
import { each } from "../checks.ts";
import type { Pod, PodSpec } from "../generated/core-v1.ts";
import { validatePodAnnotations, validateProfileAnnotations } from "./podAnnotations.ts";
import { imageBlanks } from "./podSpec/containers.ts";
import { validatePodSpec } from "./podSpec/validatePodSpec.ts";

const specPath = new FieldPath("spec");
const annotationsPath = new FieldPath("metadata").at("annotations");

/** A token is somebody's. */
const tokenErrors = ({ serviceAccountName, volumes }: PodSpec): FieldError[] =>
  serviceAccountName
    ? []
    : each(specPath.at("volumes"), volumes, ({ projected }, at) =>
        each(at.at("projected", "sources"), projected?.sources, ({ serviceAccountToken }, source) =>
          serviceAccountToken === undefined
            ? []
            : [
                forbiddenField(
                  source.at("serviceAccountToken"),
                  "must not be specified when serviceAccountName is not set",
                ),
              ],
        ),
      );

function createErrors(pod: Pod, spec: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ephemeralContainers?.length) {
    errors.push(forbiddenField(specPath.at("ephemeralContainers"), "cannot be set on create"));
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    errors.push(forbiddenField(specPath.at("nodeName"), "cannot be set until all schedulingGates have been cleared"));
  }
  return [...errors, ...validateProfileAnnotations(pod.metadata.annotations, spec, specPath)];
}

/** An object that is not stored yet has no resourceVersion. A status is checked by its change alone. */
export function validatePod(pod: Pod, { subresource }: WriteContext): FieldError[] {
  if (subresource === "status") return [];
  const spec: PodSpec = pod.spec ?? { containers: [] };
  const { name, annotations } = pod.metadata;
  return [
    ...validatePodAnnotations(annotations, spec, annotationsPath),
    ...validatePodSpec(spec, { isPod: true, podName: name, annotations }, specPath),
    ...tokenErrors(spec),
    ...each(specPath.at("containers"), spec.containers, imageBlanks),
    ...each(specPath.at("initContainers"), spec.initContainers, imageBlanks),
    ...(pod.metadata.resourceVersion ? [] : createErrors(pod, spec)),
  ];
}
