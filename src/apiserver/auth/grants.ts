/**
 * Nobody grants more than he has: who writes a role must be allowed all that it allows, and so must who binds one,
 * unless he may `escalate` or `bind` it. Source: kubernetes pkg/registry/rbac, escalation_check.go and policybased.
 */
import type { ClusterRole, PolicyRule, RoleBinding, RoleRef } from "../../api/generated/rbac-v1.ts";
import { deepEqual } from "../../machinery/deepEqual.ts";
import { type ApiError, forbidden, notFound } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { Reader } from "../reader.ts";
import type { HookContext, WriteHook } from "../write/hooks.ts";
import { type Attributes, type Authorizer, PRIVILEGED_GROUP } from "./authorizer.ts";

const GROUP = "rbac.authorization.k8s.io";
const ref = (resource: string) => ({ group: GROUP, resource });

/** Source: clusterrole/policybased/storage.go, fullAuthority. */
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

type Check = (object: KubeObject, previous: KubeObject | undefined, context: HookContext) => void;

/** One for each of the four kinds. */
export function grantHooks(reader: Reader, authorize: Authorizer): readonly WriteHook[] {
  const role = (plural: string): WriteHook => hook(plural, (...write) => checkRole(plural, authorize, ...write));
  const binding = (plural: string): WriteHook =>
    hook(plural, (object, _, context) => checkBinding(plural, object, { reader, authorize, context }));
  return [role("roles"), role("clusterroles"), binding("rolebindings"), binding("clusterrolebindings")];
}

function hook(plural: string, check: Check): WriteHook {
  const checked: Check = (object, previous, context) => {
    if (context.user.groups.includes(PRIVILEGED_GROUP)) return;
    if (previous === undefined || !deepEqual(grantOf(object), grantOf(previous))) check(object, previous, context);
  };
  return {
    group: GROUP,
    plural,
    beginCreate: (object, context) => {
      checked(object, undefined, context);
      return { object };
    },
    beginUpdate: (object, previous, context) => {
      checked(object, previous, context);
      return { object };
    },
  };
}

/** Without what garbage collection changes. Source: registry/rbac/helpers.go IsOnlyMutatingGCFields. */
function grantOf({ metadata, ...rest }: KubeObject): object {
  const { ownerReferences: _, finalizers: __, managedFields: ___, resourceVersion: ____, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

function checkRole(
  plural: string,
  authorize: Authorizer,
  object: KubeObject,
  previous: KubeObject | undefined,
  context: HookContext,
): void {
  const { name } = object.metadata;
  if (authorize(attributesOf(context, "escalate", { group: GROUP, resource: plural, name })).isAllowed) return;
  const missing = missingOf((object as ClusterRole).rules ?? [], context, authorize);
  if (missing.length > 0) throw refusal(plural, name, context, missing);
  const isGathering = gathers(object) || (previous !== undefined && gathers(previous));
  if (!isGathering || missingOf(EVERYTHING, context, authorize).length === 0) return;
  throw forbidden(ref(plural), name, "must have cluster-admin privileges to use the aggregationRule");
}

const gathers = (object: KubeObject): boolean =>
  ((object as ClusterRole).aggregationRule?.clusterRoleSelectors ?? []).length > 0;

const REFERENCED_KINDS = new Set(["Role", "ClusterRole"]);

interface Surroundings {
  readonly reader: Reader;
  readonly authorize: Authorizer;
  readonly context: HookContext;
}

function checkBinding(plural: string, object: KubeObject, { reader, authorize, context }: Surroundings): void {
  const { roleRef } = object as Partial<RoleBinding>;
  // Validation comes after this, and says what is wrong with it.
  if (roleRef === undefined || !REFERENCED_KINDS.has(roleRef.kind) || !roleRef.name) return;
  const resource = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  const bind = { group: roleRef.apiGroup, resource, name: roleRef.name };
  if (authorize(attributesOf(context, "bind", bind)).isAllowed) return;
  const missing = missingOf(rulesOf(roleRef, context.namespace, reader), context, authorize);
  if (missing.length > 0) throw refusal(plural, object.metadata.name, context, missing);
}

/** @throws ApiError 404 */
function rulesOf({ kind, name }: RoleRef, namespace: string, reader: Reader): readonly PolicyRule[] {
  const resource = kind === "ClusterRole" ? "clusterroles" : "roles";
  const role = reader.get<ClusterRole>(ref(resource), kind === "ClusterRole" ? "" : namespace, name);
  if (role === undefined) throw notFound(ref(resource), name);
  return role.rules ?? [];
}

type Part = Partial<Attributes>;

const attributesOf = ({ user, namespace }: HookContext, verb: string, part: Part): Attributes => ({
  user,
  namespace,
  verb,
  isResource: true,
  path: "",
  group: "",
  version: "*",
  resource: "",
  subresource: "",
  name: "",
  ...part,
});

/** What of `rules` the user may not do, one verb of one thing at a time. Source: component-helpers rbac Covers. */
function missingOf(rules: readonly PolicyRule[], context: HookContext, authorize: Authorizer): readonly PolicyRule[] {
  return rules.flatMap(simpleRules).filter((rule) => !authorize(attributesFor(rule, context)).isAllowed);
}

function attributesFor(rule: PolicyRule, context: HookContext): Attributes {
  const verb = rule.verbs[0] ?? "";
  const [path] = rule.nonResourceURLs ?? [];
  if (path !== undefined) return attributesOf(context, verb, { isResource: false, path });
  const [resource = "", subresource = ""] = (rule.resources?.[0] ?? "").split("/");
  const group = rule.apiGroups?.[0] ?? "";
  return attributesOf(context, verb, { group, resource, subresource, name: rule.resourceNames?.[0] ?? "" });
}

function simpleRules({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): PolicyRule[] {
  const names = (resourceNames ?? []).length === 0 ? [undefined] : (resourceNames ?? []);
  const ofResources = (apiGroups ?? []).flatMap((group) =>
    (resources ?? []).flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((name) => ({
          apiGroups: [group],
          resources: [resource],
          verbs: [verb],
          ...(name !== undefined && { resourceNames: [name] }),
        })),
      ),
    ),
  );
  const ofPaths = (nonResourceURLs ?? []).flatMap((path) =>
    verbs.map((verb) => ({ nonResourceURLs: [path], verbs: [verb] })),
  );
  return [...ofResources, ...ofPaths];
}

function refusal(plural: string, name: string, { user }: HookContext, missing: readonly PolicyRule[]): ApiError {
  const described = [...new Set(joined(missing).map(shown))].toSorted();
  const who = `user ${JSON.stringify(user.name)} (groups=${list(user.groups)})`;
  const reason = `${who} is attempting to grant RBAC permissions not currently held:\n${described.join("\n")}`;
  return forbidden(ref(plural), name, reason);
}

/** The verbs of one thing come together. Source: registry/rbac/validation CompactRules. */
function joined(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const byThing = Map.groupBy(rules, ({ verbs, nonResourceURLs, ...thing }) =>
    nonResourceURLs === undefined ? JSON.stringify(thing) : JSON.stringify([nonResourceURLs, verbs]),
  );
  return [...byThing.values()].map((same) => ({ ...same[0], verbs: same.flatMap(({ verbs }) => verbs) }));
}

/** Source: apis/rbac/v1 CompactString. */
function shown({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ["APIGroups", apiGroups],
    ["Resources", resources],
    ["NonResourceURLs", nonResourceURLs],
    ["ResourceNames", resourceNames],
    ["Verbs", verbs],
  ];
  const present = parts.flatMap(([name, values]) => (values === undefined ? [] : [`${name}:${list(values)}`]));
  return `{${present.join(", ")}}`;
}

/** As Go's %q writes a list. */
const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
