/** Whether a rule of a Role covers a request. Source: kubernetes plugin/pkg/auth/authorizer/rbac, apis/rbac/v1 helpers. */
import type { PolicyRule } from "../../api/generated/rbac-v1.ts";
import type { Attributes } from "./authorizer.ts";

const has = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && (values.includes("*") || values.includes(value));

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  const { verb, isResource, group, name, path } = attributes;
  if (!has(rule.verbs, verb)) return false;
  if (!isResource) return pathMatches(rule.nonResourceURLs ?? [], path);
  return has(rule.apiGroups, group) && resourceMatches(rule.resources ?? [], attributes) && nameMatches(rule, name);
}

const nameMatches = ({ resourceNames }: PolicyRule, name: string): boolean =>
  resourceNames === undefined || resourceNames.length === 0 || resourceNames.includes(name);

/** "pods", "pods/log", "*", and "*\/scale" for that subresource of every resource. */
function resourceMatches(resources: readonly string[], { resource, subresource }: Attributes): boolean {
  const whole = subresource === "" ? resource : `${resource}/${subresource}`;
  if (resources.includes("*") || resources.includes(whole)) return true;
  return subresource !== "" && resources.includes(`*/${subresource}`);
}

const pathMatches = (paths: readonly string[], path: string): boolean =>
  paths.some((one) => one === "*" || one === path || (one.endsWith("*") && path.startsWith(one.slice(0, -1))));
