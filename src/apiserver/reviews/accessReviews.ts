/** "May I?" and "may they?", as `kubectl auth can-i` asks. Source: kubernetes pkg/registry/authorization. */
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from "../../api/generated/authorization-v1.ts";
import { FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import { type Attributes, PRIVILEGED_GROUP } from "../auth/authorizer.ts";
import { rulesFor } from "../auth/rbacAuthorizer.ts";
import { badRequest } from "../errors.ts";
import type { VirtualCall } from "../virtualResources.ts";
import { defineReview } from "./review.ts";

const GROUP = "authorization.k8s.io";

export const selfSubjectAccessReview = defineReview<SelfSubjectAccessReview>({
  group: GROUP,
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  review: ({ spec, kind }, call) => decide(checkedAttributes(spec, call.user, kind), call),
});

export const subjectAccessReview = defineReview<SubjectAccessReview>({
  group: GROUP,
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  review: ({ spec, kind }, call) => decide(checkedAttributes(spec, subjectOf(spec, kind), kind), call),
});

export const localSubjectAccessReview = defineReview<LocalSubjectAccessReview>({
  group: GROUP,
  kind: "LocalSubjectAccessReview",
  plural: "localsubjectaccessreviews",
  isNamespaced: true,
  review: ({ spec, kind }, call) => {
    const { namespace } = call.info;
    if (spec.resourceAttributes?.namespace !== namespace) {
      throw badRequest(
        `spec.resourceAttributes.namespace must match namespace: ${spec.resourceAttributes?.namespace ?? ""}`,
      );
    }
    return decide(checkedAttributes(spec, subjectOf(spec, kind), kind), call);
  },
});

export const selfSubjectRulesReview = defineReview<SelfSubjectRulesReview>({
  group: GROUP,
  kind: "SelfSubjectRulesReview",
  plural: "selfsubjectrulesreviews",
  review: ({ spec }, { server, user }) => {
    if (!spec.namespace) throw badRequest("no namespace on request");
    return { ...listedRules(user, spec.namespace, server.reader), incomplete: false };
  },
});

function listedRules(user: UserInfo, namespace: string, reader: Parameters<typeof rulesFor>[2]) {
  const rules = [...rulesFor(user, namespace, reader)].map(({ rule }) => rule);
  const isPrivileged = user.groups.includes(PRIVILEGED_GROUP);
  const all = isPrivileged
    ? [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, { verbs: ["*"], nonResourceURLs: ["*"] }, ...rules]
    : rules;
  return {
    resourceRules: all
      .filter(({ resources }) => resources !== undefined)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames !== undefined && { resourceNames }),
      })),
    nonResourceRules: all
      .filter(({ nonResourceURLs }) => nonResourceURLs !== undefined)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
  };
}

function decide(attributes: Attributes, { server }: VirtualCall): object {
  const { isAllowed, reason } = server.authorize(attributes);
  return { allowed: isAllowed, ...(reason !== "" && { reason }) };
}

/** Source: apis/authorization/validation. */
function subjectOf({ user = "", groups = [], uid, extra }: SubjectAccessReviewSpec, kind: string): UserInfo {
  if (user === "" && groups.length === 0) {
    const error = invalid(new FieldPath("spec").at("user"), user, "at least one of user or group must be specified");
    throw invalidObject({ group: GROUP, kind }, "", [error]);
  }
  return { name: user, groups, ...(uid !== undefined && { uid }), ...(extra !== undefined && { extra }) };
}

function checkedAttributes(
  { resourceAttributes: asked, nonResourceAttributes: path }: SelfSubjectAccessReviewSpec,
  user: UserInfo,
  kind: string,
): Attributes {
  const spec = new FieldPath("spec");
  if (asked !== undefined && path !== undefined) {
    const detail = "cannot be specified in combination with resourceAttributes";
    throw invalidObject({ group: GROUP, kind }, "", [invalid(spec.at("nonResourceAttributes"), path, detail)]);
  }
  if (asked === undefined && path === undefined) {
    const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    throw invalidObject({ group: GROUP, kind }, "", [invalid(spec.at("resourceAttributes"), null, detail)]);
  }
  return {
    user,
    isResource: asked !== undefined,
    path: path?.path ?? "",
    verb: asked?.verb ?? path?.verb ?? "",
    group: asked?.group ?? "",
    version: asked?.version ?? "",
    resource: asked?.resource ?? "",
    subresource: asked?.subresource ?? "",
    namespace: asked?.namespace ?? "",
    name: asked?.name ?? "",
  };
}
