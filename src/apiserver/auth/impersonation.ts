/** `kubectl --as`: a user who may act as another. Source: endpoints/filters/impersonation. */

import { ApiError } from "../../machinery/errors.ts";
import type { ApiRequest, UserInfo } from "../../machinery/requests.ts";
import { type Attributes, type Authorizer, forbiddenError } from "./authorizer.ts";

const GROUP = "authentication.k8s.io";
const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** Source: authentication/v1, ImpersonateUserExtraHeaderPrefix. */
const EXTRA_PREFIX = "impersonate-extra-";

/** The user that the request is to be taken for. @throws ApiError 403 when the sender may not */
export function impersonate({ headers = {} }: ApiRequest, sender: UserInfo, authorize: Authorizer): UserInfo {
  if (!isAsked(headers)) return sender;
  const name = headers["impersonate-user"];
  const groups = valuesOf(headers["impersonate-group"]);
  const uid = headers["impersonate-uid"] ?? "";
  const extra = extraOf(headers);
  if (name === undefined) throw new ApiError("InternalError", "requested [groups] without impersonating a user");
  const account = ACCOUNT.exec(name);
  const check = checker(sender, authorize);
  if (account === null) check({ resource: "users", name });
  else check({ resource: "serviceaccounts", namespace: account[1] as string, name: account[2] as string });
  for (const group of groups) check({ resource: "groups", name: group });
  for (const [subresource, values] of extra) {
    for (const value of values) check({ group: GROUP, resource: "userextras", subresource, name: value });
  }
  if (uid !== "") check({ group: GROUP, resource: "uids", name: uid });
  return {
    name,
    groups: impersonatedGroups(name, groups, account?.[1]),
    ...(uid !== "" && { uid }),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  };
}

/** Of every request, so without making anything. */
function isAsked(headers: Readonly<Record<string, string>>): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

/** A header that was sent several times comes as one. */
const valuesOf = (header: string | undefined): readonly string[] => (header === undefined ? [] : header.split(", "));

const extraOf = (headers: Readonly<Record<string, string>>): readonly (readonly [string, readonly string[]])[] =>
  Object.entries(headers).flatMap(([header, value]) =>
    header.startsWith(EXTRA_PREFIX) ? [[unescaped(header.slice(EXTRA_PREFIX.length)), valuesOf(value)] as const] : [],
  );

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function impersonatedGroups(name: string, groups: readonly string[], namespace: string | undefined): readonly string[] {
  const own =
    namespace !== undefined && groups.length === 0
      ? ["system:serviceaccounts", `system:serviceaccounts:${namespace}`]
      : groups;
  const everybody = name === "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
  return own.includes(everybody) ? own : [...own, everybody];
}

type Place = Partial<Attributes> & Pick<Attributes, "resource" | "name">;

const checker = (user: UserInfo, authorize: Authorizer) => (place: Place) => {
  const whole = { group: "", version: "v1", subresource: "", namespace: "", ...place };
  const attributes = { user, verb: "impersonate", isResource: true, path: "", ...whole };
  const { isAllowed, reason } = authorize(attributes);
  if (!isAllowed) throw forbiddenError(attributes, reason);
};
