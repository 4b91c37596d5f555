import { notFound } from "../../machinery/errors.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import type { ResourceRequest } from "../context.ts";
import { tooLargeResourceVersion } from "../errors.ts";
import { negotiateView } from "../output/negotiate.ts";
import { objectResponse } from "../output/view.ts";
import { readRevision } from "../resourceVersion.ts";
import type { History } from "../store/history.ts";
import { objectKey } from "../store/objectIndex.ts";

/** Source: apiserver storage/cacher, blockTimeout. */
const WAIT_FOR_REVISION_MS = 3_000;

/** Waits until the cache answers what is asked for: undefined the newest, 0 anything, N not older than N. */
export async function waitForRevision(
  { history, env }: { history: History; env: ResourceRequest["server"]["env"] },
  wanted: number | undefined,
): Promise<void> {
  if (wanted === undefined) return history.waitUntilFresh();
  const arrival = history.waitFor(wanted);
  if (arrival === undefined) return;
  const outcome = await new Promise<boolean>((resolve) => {
    const timer = env.clock.setTimer(WAIT_FOR_REVISION_MS, () => resolve(false));
    arrival.then(() => {
      timer.cancel();
      resolve(true);
    });
  });
  if (!outcome) throw tooLargeResourceVersion(wanted, history.revision);
}

/** GET of one object. */
export async function get(call: ResourceRequest): Promise<ApiResponse> {
  const { server, info, resource, request } = call;
  const view = negotiateView(call);
  await waitForRevision(server, wantedRevision(request));
  const object = resource.store.get(keyOfRequest(call));
  if (object === undefined) throw notFound(resource.ref, info.name);
  return objectResponse(view.one(object, true));
}

/** @throws ApiError 500 */
export function wantedRevision({ query }: ApiRequest): number | undefined {
  const text = query?.get("resourceVersion") ?? "";
  return text === "" ? undefined : readRevision(text);
}

/** The key of the object that the path names. */
export const keyOfRequest = ({ info, resource }: ResourceRequest): string =>
  objectKey(resource.isNamespaced ? info.namespace : undefined, info.name);
