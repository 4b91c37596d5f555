import { type KubeObject, timestamp } from "../../machinery/object.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import { objectResponse } from "../output/view.ts";
import type { VirtualCall, VirtualResource } from "../virtualResources.ts";

export interface ReviewInput<T extends KubeObject> {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced?: boolean;
  /** Its answer says when it was given. */
  readonly isDated?: boolean;
  /** The status for the spec that was posted. */
  readonly review: (object: T, call: VirtualCall) => object | Promise<object>;
}

/** A question that is posted and answered in its own `status`. */
export function defineReview<T extends KubeObject>(input: ReviewInput<T>): VirtualResource {
  const { group, kind, plural, isNamespaced = false, isDated = false, review } = input;
  const described = {
    group,
    version: "v1",
    kind,
    plural,
    singular: kind.toLowerCase(),
    isNamespaced,
    type: `api.${group.split(".")[0]}.v1.${kind}`,
  };
  const create = async (call: VirtualCall): Promise<ApiResponse> => {
    const { object, warnings } = call.server.codecs.decode(call.request, described, "Warn");
    call.warnings.push(...warnings);
    const status = await review(object as T, call);
    const { clock } = call.server.env;
    const metadata = { ...object.metadata, ...(isDated && { creationTimestamp: timestamp(clock.now()) }) };
    return objectResponse({ ...object, metadata, status }, 201);
  };
  return { ...described, create };
}
