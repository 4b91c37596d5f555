/** What a request is about, read from its method, path and query. Source: apiserver request/requestinfo.go. */
import { exactFieldValue, parseFieldSelector } from "../machinery/fieldSelector.ts";
import type { ApiRequest } from "../machinery/requests.ts";

export interface RequestInfo {
  /** False for discovery, health, version, OpenAPI and everything else that is no object. */
  readonly isResource: boolean;
  readonly path: string;
  /** "get", "list", "watch", …; for what is no resource the method in lower case. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** "" where there is none. For a Namespace itself its own name. */
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** What follows the subresource, such as the path in `…/proxy/metrics`. */
  readonly rest: string;
}

const VERBS_BY_METHOD: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
/** What may follow a Namespace's name without being a resource within it. Source: namespaceSubresources. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

const NOT_A_RESOURCE = { group: "", version: "", namespace: "", resource: "", subresource: "", name: "", rest: "" };

export function parseRequest({ method, path, query }: ApiRequest): RequestInfo {
  const parts = path.split("/").filter((part) => part !== "");
  const isLegacy = parts[0] === "api";
  const depth = isLegacy ? 2 : 3;
  if ((!isLegacy && parts[0] !== "apis") || parts.length <= depth) {
    return { isResource: false, path, verb: method.toLowerCase(), ...NOT_A_RESOURCE };
  }
  const group = isLegacy ? "" : decode(parts[1] as string);
  const version = decode(parts[depth - 1] as string);
  const isOldWatch = parts[depth] === "watch" && parts.length > depth + 1;
  const place = placeOf(parts.slice(isOldWatch ? depth + 1 : depth).map(decode));
  const verb = isOldWatch ? "watch" : (VERBS_BY_METHOD[method] ?? "");
  return { isResource: true, path, group, version, ...place, ...verbAndName(verb, place.name, query) };
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

function placeOf(parts: readonly string[]) {
  let namespace = "";
  let tail = parts;
  if (parts[0] === "namespaces" && parts[1] !== undefined) {
    namespace = parts[1];
    if (parts[2] !== undefined && !NAMESPACE_SUBRESOURCES.has(parts[2])) tail = parts.slice(2);
  }
  const [resource = "", name = "", subresource = ""] = tail;
  return { namespace, resource, name, subresource, rest: tail.slice(3).join("/") };
}

function verbAndName(verb: string, name: string, query: URLSearchParams | undefined) {
  if (name !== "") return { verb, name };
  if (verb === "delete") return { verb: "deletecollection", name };
  if (verb !== "get") return { verb, name };
  const watch = query?.get("watch");
  const isWatch = watch !== null && watch !== undefined && watch !== "false" && watch !== "0";
  return { verb: isWatch ? "watch" : "list", name: selectedName(query) };
}

/** A list of one name is a request for that object, which is how a node may watch the Secrets of its pods. */
function selectedName(query: URLSearchParams | undefined): string {
  const selector = query?.get("fieldSelector") ?? "";
  if (!selector.includes("metadata.name")) return "";
  try {
    return exactFieldValue(parseFieldSelector(selector), "metadata.name") ?? "";
  } catch {
    return "";
  }
}
