import type { VirtualResource } from "../virtualResources.ts";
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
} from "./accessReviews.ts";
import { selfSubjectReview, tokenReview } from "./authenticationReviews.ts";

export const reviews: readonly VirtualResource[] = [
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
  selfSubjectReview,
  tokenReview,
];
