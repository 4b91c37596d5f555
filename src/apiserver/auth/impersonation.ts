/** `kubectl --as`: a user who may act as another. Source: endpoints/filters/impersonation. */
import type { ApiRequest, UserInfo } from "../../machinery/requests.ts";
import { badRequest } from "../errors.ts";
import type { RequestInfo } from "../requestInfo.ts";
import { type Authorizer, attributesOf } from "./authorizer.ts";
import { impersonated } from "./impersonationModes.ts";

/** Source: authentication/v1, ImpersonateUserExtraHeaderPrefix. */
const EXTRA_PREFIX = "impersonate-extra-";

/** The user that the request is to be taken for. @throws ApiError 400, and 403 when the sender may not */
export function impersonate(
  { headers = {} }: ApiRequest,
  sender: UserInfo,
  info: RequestInfo,
  authorize: Authorizer,
): UserInfo {
  if (!isAsked(headers)) return sender;
  const wanted = wantedUser(headers);
  if (wanted.name === "") throw badRequest(`requested ${goSyntax(wanted)} without impersonating a user name`);
  return impersonated(wanted, attributesOf(info, sender), authorize);
}

/** Of every request, so without making anything. */
function isAsked(headers: Readonly<Record<string, string>>): boolean {
  for (const name in headers) if (name.startsWith("impersonate-") && isKnown(name)) return true;
  return false;
}

const isKnown = (name: string) => /^impersonate-(user|uid|group|extra-.*)$/.test(name);

function wantedUser(headers: Readonly<Record<string, string>>): UserInfo {
  const uid = headers["impersonate-uid"] ?? "";
  const extra = extraOf(headers);
  return {
    name: headers["impersonate-user"] ?? "",
    groups: valuesOf(headers["impersonate-group"]),
    ...(uid !== "" && { uid }),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  };
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

/** As Go's %#v writes a *user.DefaultInfo. */
function goSyntax({ name, uid = "", groups, extra }: UserInfo): string {
  const list = (values: readonly string[]) => values.map((value) => JSON.stringify(value)).join(", ");
  const shownGroups = groups.length === 0 ? "[]string(nil)" : `[]string{${list(groups)}}`;
  const entries = Object.entries(extra ?? {}).map(
    ([key, values]) => `${JSON.stringify(key)}:[]string{${list(values)}}`,
  );
  const shownExtra = extra === undefined ? "(nil)" : `{${entries.join(", ")}}`;
  return `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, Groups:${shownGroups}, Extra:map[string][]string${shownExtra}}`;
}
