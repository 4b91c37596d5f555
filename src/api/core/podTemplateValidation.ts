/** Source: core/validation ValidatePodTemplateSpec (v1.36). */
import { type FieldError, type FieldPath, forbiddenField } from "../../machinery/fieldErrors.ts";
import { validateLabels } from "../../machinery/labelSelector.ts";
import { validateAnnotations } from "../../machinery/objectMeta.ts";
import type { PodSpec, PodTemplateSpec } from "../generated/core-v1.ts";
import { validatePodAnnotations, validateProfileAnnotations } from "./podAnnotations.ts";
import { validatePodSpec } from "./podSpec/validatePodSpec.ts";

const NO_SPEC: PodSpec = { containers: [] };

export function validatePodTemplate(template: PodTemplateSpec, path: FieldPath): FieldError[] {
  const { metadata, spec = NO_SPEC } = template;
  const annotations = metadata?.annotations;
  const at = path.at("spec");
  return [
    ...validateLabels(metadata?.labels, path.at("labels")),
    ...validateAnnotations(annotations, path.at("annotations")),
    ...validatePodAnnotations(annotations, spec, path.at("annotations")),
    ...validatePodSpec(spec, { isPod: false }, at),
    ...validateProfileAnnotations(annotations, spec, at),
    ...(spec.ephemeralContainers?.length
      ? [forbiddenField(at.at("ephemeralContainers"), "ephemeral containers not allowed in pod template")]
      : []),
  ];
}
