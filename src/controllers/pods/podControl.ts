/** Creates and deletes pods for a controller, and says so on its owner. Source: controller_utils.go, RealPodControl. */
import type { Pod, PodTemplateSpec } from "../../api/generated/core-v1.ts";
import { pod as podKind } from "../../api/index.ts";
import type { Client } from "../../client/client.ts";
import type { Recorder } from "../../client/recorder.ts";
import { ApiError, isApiError } from "../../machinery/errors.ts";
import type { Draft, KubeObject, OwnerReference } from "../../machinery/object.ts";
import { targetOf } from "../ownership.ts";

export interface PodOwner {
  readonly object: KubeObject;
  readonly reference: OwnerReference;
}

/** Source: GetPodFromTemplate. */
export function podFromTemplate(template: PodTemplateSpec | undefined, { object, reference }: PodOwner): Draft<Pod> {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    metadata: {
      generateName: `${object.metadata.name}-`,
      ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(finalizers !== undefined && { finalizers }),
      ownerReferences: [reference],
    },
    ...(template?.spec !== undefined && { spec: template.spec }),
  };
}

export async function createPod(client: Client, recorder: Recorder, owner: KubeObject, draft: Draft<Pod>) {
  try {
    const pod = await client.create<Pod>(podKind, draft);
    recorder.event(owner, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
    return pod;
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      recorder.event(owner, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
    }
    throw error;
  }
}

/** A pod that has gone already is as good as deleted. */
export async function deletePod(client: Client, recorder: Recorder, owner: KubeObject, pod: Pod): Promise<void> {
  try {
    await client.delete(podKind, targetOf(pod), { preconditions: { uid: pod.metadata.uid } });
    recorder.event(owner, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
  } catch (error) {
    if (isApiError(error, "NotFound")) return;
    recorder.event(owner, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
    throw error;
  }
}

/** Nothing can be made in a namespace that goes; no use in saying so. Source: api/core/v1, NamespaceTerminatingCause. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof ApiError && error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);
