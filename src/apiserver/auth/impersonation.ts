/** `kubectl --as`: a user who may act as another. Source: endpoints/filters/impersonation. */

import { ApiError } from "../../machinery/errors.ts";
import type { ApiRequest, UserInfo } from "../../machinery/requests.ts";
import { type Authorizer, forbiddenError } from "./authorizer.ts";

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** The user that the request is to be taken for. @throws ApiError 403 when the sender may not */
export function impersonate({ headers = {} }: ApiRequest, sender: UserInfo, authorize: Authorizer): UserInfo {
  const name = headers["impersonate-user"];
  const asked = headers["impersonate-group"];
  if (name === undefined) {
    if (asked === undefined && headers["impersonate-uid"] === undefined) return sender;
    throw new ApiError("InternalError", "requested [groups] without impersonating a user");
  }
  const account = ACCOUNT.exec(name);
  if (account === null) check(sender, "users", "", name, authorize);
  else check(sender, "serviceaccounts", account[1] as string, account[2] as string, authorize);
  const groups = asked === undefined ? [] : asked.split(",").map((group) => group.trim());
  for (const group of groups) check(sender, "groups", "", group, authorize);
  return { name, groups: impersonatedGroups(name, groups, account?.[1]) };
}

function impersonatedGroups(name: string, groups: readonly string[], namespace: string | undefined): readonly string[] {
  const own =
    namespace !== undefined && groups.length === 0
      ? ["system:serviceaccounts", `system:serviceaccounts:${namespace}`]
      : groups;
  const everybody = name === "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
  return own.includes(everybody) ? own : [...own, everybody];
}

function check(user: UserInfo, resource: string, namespace: string, name: string, authorize: Authorizer): void {
  const place = { group: "", version: "v1", resource, subresource: "", namespace, name };
  const attributes = { user, verb: "impersonate", isResource: true, path: "", ...place };
  const { isAllowed, reason } = authorize(attributes);
  if (!isAllowed) throw forbiddenError(attributes, reason);
}
