import { PROTOBUF_MEDIA_TYPE } from "../../machinery/protobuf/envelope.ts";
import type { ResourceRequest } from "../context.ts";
import type { RequestInfo } from "../requestInfo.ts";
import { type AcceptClause, matchMediaType, notAcceptable, parseAccept } from "./accept.ts";
import { partialMetadataView } from "./partialMetadataView.ts";
import { tableView } from "./tableView.ts";
import { plainView, type View } from "./view.ts";

const JSON_TYPE = "application/json";

/** What objects can be sent as, the default first. */
export const MEDIA_TYPES = [JSON_TYPE, "application/yaml", PROTOBUF_MEDIA_TYPE];

const META_VERSIONS = ["v1", "v1beta1"];

export interface Negotiated {
  readonly view: View;
  readonly mediaType: string;
}

/** The form that the request's Accept header asks for. @throws ApiError 406 */
export const negotiateView = (call: ResourceRequest): View => negotiate(call).view;

/** The same, and what it is to be written as. @throws ApiError 406 */
export function negotiate(call: ResourceRequest): Negotiated {
  const accept = call.request.headers?.accept;
  // By far the most common ones, of our own components.
  if (accept === undefined || accept === JSON_TYPE) return { view: plainView(call.resource), mediaType: JSON_TYPE };
  for (const clause of parseAccept(accept)) {
    const mediaType = matchMediaType(clause, MEDIA_TYPES);
    const view = mediaType === undefined ? undefined : viewFor(clause, mediaType, call);
    if (mediaType !== undefined && view !== undefined) return { view, mediaType };
  }
  throw notAcceptable(MEDIA_TYPES);
}

/** Undefined when we do not have that form, so that the next clause is tried. */
function viewFor({ parameters }: AcceptClause, mediaType: string, call: ResourceRequest): View | undefined {
  const { as, g: group, v: version = "" } = parameters;
  if (as === undefined) return plainView(call.resource);
  if (group !== "meta.k8s.io" || !META_VERSIONS.includes(version)) return undefined;
  if (isProtobufTable({ parameters }, mediaType)) return undefined;
  if (as === "Table") return tableView(call, `meta.k8s.io/${version}`);
  return as === partialKind(call.info) ? partialMetadataView(call.resource, `meta.k8s.io/${version}`) : undefined;
}

/** Which there is not. */
const isProtobufTable = ({ parameters }: Pick<AcceptClause, "parameters">, mediaType: string): boolean =>
  mediaType === PROTOBUF_MEDIA_TYPE && parameters.as === "Table";

const partialKind = ({ verb }: RequestInfo): string =>
  verb === "list" || verb === "deletecollection" ? "PartialObjectMetadataList" : "PartialObjectMetadata";

/** Which bytes the response goes out as. */
export function responseMediaType(accept: string | undefined): string {
  if (accept === undefined || accept.startsWith(JSON_TYPE)) return JSON_TYPE;
  for (const clause of parseAccept(accept)) {
    const mediaType = matchMediaType(clause, MEDIA_TYPES);
    if (mediaType !== undefined && !isProtobufTable(clause, mediaType)) return mediaType;
  }
  return JSON_TYPE;
}
