import type { ResourceRequest } from "../context.ts";
import type { RequestInfo } from "../requestInfo.ts";
import { type AcceptClause, matchMediaType, notAcceptable, parseAccept } from "./accept.ts";
import { partialMetadataView } from "./partialMetadataView.ts";
import { tableView } from "./tableView.ts";
import { plainView, type View } from "./view.ts";

/** What objects can be sent as. The bytes are made where they leave; here only the form is chosen. */
export const MEDIA_TYPES = ["application/json", "application/yaml"];

const META_VERSIONS = ["v1", "v1beta1"];

/** The form that the request's Accept header asks for. @throws ApiError 406 */
export function negotiateView(call: ResourceRequest): View {
  const accept = call.request.headers?.accept;
  // By far the most common ones, of our own components.
  if (accept === undefined || accept === "application/json") return plainView(call.resource);
  for (const clause of parseAccept(accept)) {
    const view = matchMediaType(clause, MEDIA_TYPES) === undefined ? undefined : viewFor(clause, call);
    if (view !== undefined) return view;
  }
  throw notAcceptable([...MEDIA_TYPES, "application/vnd.kubernetes.protobuf"]);
}

/** Undefined when we do not have that form, so that the next clause is tried. */
function viewFor({ parameters }: AcceptClause, call: ResourceRequest): View | undefined {
  const { as, g: group, v: version = "" } = parameters;
  if (as === undefined) return plainView(call.resource);
  if (group !== "meta.k8s.io" || !META_VERSIONS.includes(version)) return undefined;
  if (as === "Table") return tableView(call, `meta.k8s.io/${version}`);
  return as === partialKind(call.info) ? partialMetadataView(call.resource, `meta.k8s.io/${version}`) : undefined;
}

const partialKind = ({ verb }: RequestInfo): string =>
  verb === "list" || verb === "deletecollection" ? "PartialObjectMetadataList" : "PartialObjectMetadata";

/** Which bytes the response goes out as. */
export function responseMediaType(accept: string | undefined): string {
  if (accept === undefined || accept.startsWith("application/json")) return "application/json";
  for (const clause of parseAccept(accept)) {
    const mediaType = matchMediaType(clause, MEDIA_TYPES);
    if (mediaType !== undefined) return mediaType;
  }
  return "application/json";
}
