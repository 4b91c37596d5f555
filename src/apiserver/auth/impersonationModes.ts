/**
 * The ways in which somebody may be allowed to act as another, from the narrowest to the oldest. All but the last bind
 * what may be done to whom: besides `impersonate:<mode>` of the user they want `impersonate-on:<mode>:<verb>` of the
 * request itself. Source: endpoints/filters/impersonation/mode.go (ConstrainedImpersonation, on since 1.36).
 */
import type { ApiError } from "../../machinery/errors.ts";
import { dns1123Subdomain } from "../../machinery/names.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import { type Attributes, type Authorizer, forbiddenError, PRIVILEGED_GROUP } from "./authorizer.ts";

const GROUP = "authentication.k8s.io";
const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const NODE_PREFIX = "system:node:";
const NODES_GROUP = "system:nodes";
const NODE_NAME_KEY = "authentication.kubernetes.io/node-name";

interface Mode {
  /** "" is the oldest one, which looks at the user alone. */
  readonly name: string;
  readonly isFor: (wanted: UserInfo, sender: UserInfo) => boolean;
}

const accountOf = (name: string) => {
  const [, namespace, account] = ACCOUNT.exec(name) ?? [];
  return namespace === undefined || account === undefined ? undefined : { namespace, name: account };
};

function nodeOf(name: string): string | undefined {
  const node = name.startsWith(NODE_PREFIX) ? name.slice(NODE_PREFIX.length) : "";
  return node !== "" && dns1123Subdomain(node).length === 0 ? node : undefined;
}

const isBare = ({ uid, groups, extra }: UserInfo) => uid === undefined && groups.length === 0 && extra === undefined;

/** An account that acts for the node that its pod is on. */
const isAssociated = (wanted: UserInfo, { name, extra }: UserInfo) =>
  accountOf(name) !== undefined && `${extra?.[NODE_NAME_KEY]}` === nodeOf(wanted.name);

const MODES: readonly Mode[] = [
  { name: "associated-node", isFor: (wanted, sender) => isBare(wanted) && isAssociated(wanted, sender) },
  { name: "arbitrary-node", isFor: (wanted) => isBare(wanted) && nodeOf(wanted.name) !== undefined },
  { name: "serviceaccount", isFor: (wanted) => isBare(wanted) && accountOf(wanted.name) !== undefined },
  {
    name: "user-info",
    isFor: ({ name }) => nodeOf(name) === undefined && accountOf(name) === undefined,
  },
  { name: "", isFor: () => true },
];

/** What the user becomes by the first way that is open. @throws ApiError 403 of the first that is not */
export function impersonated(wanted: UserInfo, request: Attributes, authorize: Authorizer): UserInfo {
  let refusal: ApiError | undefined;
  for (const mode of MODES) {
    if (!mode.isFor(wanted, request.user)) continue;
    const refused = refusalOf(mode, wanted, request, authorize);
    if (refused === undefined) return become(wanted, mode);
    refusal ??= refused;
  }
  throw refusal as ApiError;
}

function refusalOf(mode: Mode, wanted: UserInfo, request: Attributes, authorize: Authorizer): ApiError | undefined {
  for (const attributes of asked(mode, wanted, request)) {
    const forbidden = mode.name === "" ? undefined : neverAllowed(attributes);
    if (forbidden !== undefined) return forbiddenError(attributes, forbidden);
    const { isAllowed, reason } = authorize(attributes);
    if (!isAllowed) return forbiddenError(attributes, reason);
  }
  return undefined;
}

const neverAllowed = ({ resource, name }: Attributes): string | undefined => {
  if (resource === "groups" && name === PRIVILEGED_GROUP)
    return "impersonating the system:masters group is not allowed";
  if (resource === "groups" && name === "") return "impersonating the empty string group is not allowed";
  if (resource === "userextras" && name === "") return "impersonating the empty string value in extra is not allowed";
  return undefined;
};

/** Everything that the sender must be allowed for one way to be open. */
function* asked(mode: Mode, wanted: UserInfo, request: Attributes): Iterable<Attributes> {
  const isOld = mode.name === "";
  if (!isOld) yield { ...request, verb: `impersonate-on:${mode.name}:${request.verb}` };
  const verb = isOld ? "impersonate" : `impersonate:${mode.name}`;
  const { user } = request;
  const base = { user, verb, isResource: true, path: "", version: "v1", subresource: "", namespace: "" };
  const group = isOld ? "" : GROUP;
  const node = isOld ? undefined : nodeOf(wanted.name);
  const account = accountOf(wanted.name);
  if (account !== undefined) yield { ...base, group, resource: "serviceaccounts", ...account };
  else if (node === undefined) yield { ...base, group, resource: "users", name: wanted.name };
  else yield { ...base, group, resource: "nodes", name: mode.name === "associated-node" ? "*" : node };
  if (wanted.uid !== undefined) yield { ...base, group: GROUP, resource: "uids", name: wanted.uid };
  for (const name of wanted.groups) yield { ...base, group, resource: "groups", name };
  for (const [subresource, values] of Object.entries(wanted.extra ?? {})) {
    for (const name of values) yield { ...base, group: GROUP, resource: "userextras", subresource, name };
  }
}

function become(wanted: UserInfo, mode: Mode): UserInfo {
  const { name } = wanted;
  const account = accountOf(name);
  const isNode = mode.name !== "" && nodeOf(name) !== undefined;
  const own =
    account !== undefined && wanted.groups.length === 0
      ? ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`]
      : isNode
        ? [NODES_GROUP]
        : wanted.groups;
  return { ...wanted, groups: [...new Set([...own, ...everybody(name, own)])] };
}

function everybody(name: string, groups: readonly string[]): readonly string[] {
  if (name === "system:anonymous") return ["system:unauthenticated"];
  return groups.includes("system:unauthenticated") ? [] : ["system:authenticated"];
}
