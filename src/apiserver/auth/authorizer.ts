/** May this user do this? Authorizers are asked in turn until one allows it. Source: apiserver authorization. */
import { ApiError, forbidden } from "../../machinery/errors.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import type { RequestInfo } from "../requestInfo.ts";

export interface Attributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResource: boolean;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Why it is allowed (or why this authorizer has no opinion) as people read it. */
export interface Decision {
  readonly isAllowed: boolean;
  readonly reason: string;
}

/** Answers at once: everything that it needs is in the caches. */
export type Authorizer = (attributes: Attributes) => Decision;

export const NO_OPINION: Decision = { isAllowed: false, reason: "" };

/** The members of this group may do everything. Source: user.SystemPrivilegedGroup. */
export const PRIVILEGED_GROUP = "system:masters";

export const privilegedAuthorizer: Authorizer = ({ user }) =>
  user.groups.includes(PRIVILEGED_GROUP) ? { isAllowed: true, reason: "" } : NO_OPINION;

/** Allows what any of them allows. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return (attributes) => {
    const reasons: string[] = [];
    for (const authorize of authorizers) {
      const decision = authorize(attributes);
      if (decision.isAllowed) return decision;
      if (decision.reason !== "") reasons.push(decision.reason);
    }
    return { isAllowed: false, reason: reasons.join("\n") };
  };
}

export const attributesOf = (info: RequestInfo, user: UserInfo): Attributes => ({ user, ...info });

/** The 403. Source: endpoints/handlers/responsewriters errors.go, forbiddenMessage. */
export function forbiddenError(attributes: Attributes, reason: string): ApiError {
  const text = reason === "" ? forbiddenText(attributes) : `${forbiddenText(attributes)}: ${reason}`;
  if (!attributes.isResource) return new ApiError("Forbidden", `forbidden: ${text}`, { details: {} });
  return forbidden({ group: attributes.group, resource: attributes.resource }, attributes.name, text);
}

function forbiddenText({ user, verb, isResource, path, group, resource, subresource, namespace }: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (!isResource) return `${who} path ${JSON.stringify(path)}`;
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`;
}
