/** "Who am I?" (`kubectl auth whoami`) and "whose token is this?". Source: kubernetes pkg/registry/authentication. */
import type { SelfSubjectReview, TokenReview } from "../../api/generated/authentication-v1.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import { badRequest } from "../errors.ts";
import { defineReview } from "./review.ts";

const GROUP = "authentication.k8s.io";

const userStatus = ({ name, uid, groups, extra }: UserInfo) => ({
  username: name,
  ...(uid !== undefined && { uid }),
  groups,
  ...(extra !== undefined && { extra }),
});

export const selfSubjectReview = defineReview<SelfSubjectReview>({
  group: GROUP,
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  isDated: true,
  review: (_, { user }) => ({ userInfo: userStatus(user) }),
});

export const tokenReview = defineReview<TokenReview>({
  group: GROUP,
  kind: "TokenReview",
  plural: "tokenreviews",
  review: async ({ spec }, { server }) => {
    if (!spec.token) throw badRequest("token is required for TokenReview in authentication");
    const user = await server.tokens?.verify(spec.token, spec.audiences);
    if (user === undefined) return { user: {}, error: "invalid bearer token" };
    const audiences = spec.audiences ?? server.tokens?.defaultAudiences ?? [];
    return { authenticated: true, user: userStatus(user), audiences };
  },
});
