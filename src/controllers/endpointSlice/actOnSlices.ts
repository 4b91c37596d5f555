import type { EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { endpointSlice as sliceKind } from "../../api/index.ts";
import type { Client } from "../../client/client.ts";
import { isApiError } from "../../machinery/errors.ts";
import { targetOf } from "../ownership.ts";
import type { SliceAction } from "./endpointSlicePlan.ts";

/** One after the other, in the order of the plan. A slice that has gone is as good as deleted. */
export async function actOnSlices(client: Client, actions: readonly SliceAction[]): Promise<void> {
  for (const action of actions) {
    switch (action.do) {
      case "create":
        await client.create<EndpointSlice>(sliceKind, action.slice);
        break;
      case "update":
        await client.update<EndpointSlice>(sliceKind, action.slice);
        break;
      case "delete":
        await client.delete(sliceKind, targetOf(action.slice)).catch((error) => {
          if (!isApiError(error, "NotFound")) throw error;
        });
        break;
      default:
        action satisfies never;
    }
  }
}
