import type { ResourceRequest } from "../context.ts";
import { plainView, type View } from "./view.ts";

/** The form that the request's Accept header asks for. */
export function negotiateView({ resource }: ResourceRequest): View {
  return plainView(resource);
}
