/**
 * What can be asked of each path, once, for both forms of OpenAPI. Source: apiserver endpoints/installer.go; compared
 * with upstream's published document by a test.
 */
import type { AnyKind, ServedSubresource } from "../../machinery/defineKind.ts";
import { apiVersionOf, type GroupVersionKind } from "../../machinery/object.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete" | "head" | "options";

/** A query parameter, by its name in parameters.ts. */
export type QueryName = string;

export interface Operation {
  readonly path: string;
  readonly method: Method;
  /** `x-kubernetes-action` */
  readonly action: string;
  readonly operationId: string;
  readonly description: string;
  readonly gvk: GroupVersionKind;
  /** Of the path, which `gvk` may differ from. */
  readonly served: { readonly group: string; readonly version: string };
  readonly query: readonly QueryName[];
  /** Type of the body; "patch" for any patch. */
  readonly body?: { readonly type: string; readonly required: boolean };
  /** Type of the answer by status; "string" for text. */
  readonly responses: Readonly<Record<number, string>>;
  readonly produces: "objects" | "watch" | "any" | "log";
}

const META = "apimachinery.pkg.apis.meta.v1";
const LIST_QUERY = [
  "allowWatchBookmarks",
  "continue",
  "fieldSelector",
  "labelSelector",
  "limit",
  "resourceVersion",
  "resourceVersionMatch",
  "sendInitialEvents",
  "shardSelector",
  "timeoutSeconds",
  "watch",
];
const DELETE_QUERY = [
  "dryRun",
  "gracePeriodSeconds",
  "ignoreStoreReadErrorWithClusterBreakingPotential",
  "orphanDependents",
  "propagationPolicy",
];
const DELETE_COLLECTION_QUERY = [
  ...DELETE_QUERY,
  ...LIST_QUERY.filter((name) => name !== "allowWatchBookmarks" && name !== "watch"),
].sort();
const WRITE_QUERY = ["dryRun", "fieldManager", "fieldValidation"];
const PATCH_QUERY = [...WRITE_QUERY, "force"];
const LOG_QUERY = [
  "container",
  "follow",
  "insecureSkipTLSVerifyBackend",
  "limitBytes",
  "previous",
  "sinceSeconds",
  "stream",
  "tailLines",
  "timestamps",
];
const CONNECT_QUERY: Readonly<Record<string, readonly string[]>> = {
  exec: ["command", "container", "stderr", "stdin", "stdout", "tty"],
  attach: ["container", "stderr", "stdin", "stdout", "tty"],
  portforward: ["ports"],
  proxy: ["path"],
};

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** "CoreV1", "RbacAuthorizationV1": how operation ids name a group and version. */
export const groupVersionName = ({ group, version }: Pick<AnyKind, "group" | "version">): string =>
  `${(group === "" ? "core" : group.replace(/\.k8s\.io$/, "")).split(".").map(upper).join("")}${upper(version)}`;

interface Place {
  readonly kind: AnyKind;
  readonly base: string;
  readonly collection: string;
  readonly item: string;
  /** "CoreV1Namespaced", or without the last word. */
  readonly scope: string;
  readonly gvk: GroupVersionKind;
}

function placeOf(kind: AnyKind): Place {
  const { group, version } = kind;
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const isNamespaced = kind.scope === "Namespaced";
  const collection = `${base}${isNamespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const scope = `${groupVersionName(kind)}${isNamespaced ? "Namespaced" : ""}`;
  return { kind, base, collection, item: `${collection}/{name}`, scope, gvk: { group, version, kind: kind.kind } };
}

type Unplaced = Omit<Operation, "served">;

/** All operations on one kind. */
export function operationsOf(kind: AnyKind): Operation[] {
  const place = placeOf(kind);
  const all = [
    ...collectionOperations(place),
    ...itemOperations(place),
    ...partOperations(place),
    ...servedOperations(place),
  ];
  return all.map((operation) => ({ ...operation, served: { group: kind.group, version: kind.version } }));
}

function collectionOperations({ kind, base, collection, scope, gvk }: Place): Unplaced[] {
  const has = (verb: string) => kind.verbs.includes(verb as never);
  const name = kind.kind;
  const list = {
    method: "get",
    action: "list",
    gvk,
    query: LIST_QUERY,
    produces: "watch",
    responses: { 200: `${kind.type}List` },
  } as const;
  const description = `list or watch objects of kind ${name}`;
  const operations: Unplaced[] = [];
  if (has("list")) {
    operations.push({ ...list, path: collection, operationId: `list${scope}${name}`, description });
    if (kind.scope === "Namespaced") {
      const operationId = `list${groupVersionName(kind)}${name}ForAllNamespaces`;
      operations.push({ ...list, path: `${base}/${kind.plural}`, operationId, description });
    }
  }
  if (has("create")) {
    operations.push({
      path: collection,
      method: "post",
      action: "post",
      operationId: `create${scope}${name}`,
      description: `create ${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`,
      gvk,
      query: WRITE_QUERY,
      body: { type: kind.type, required: true },
      responses: { 200: kind.type, 201: kind.type, 202: kind.type },
      produces: "objects",
    });
  }
  if (has("deletecollection")) {
    operations.push({
      path: collection,
      method: "delete",
      action: "deletecollection",
      operationId: `delete${groupVersionName(kind)}Collection${kind.scope === "Namespaced" ? "Namespaced" : ""}${name}`,
      description: `delete collection of ${name}`,
      gvk,
      query: DELETE_COLLECTION_QUERY,
      body: { type: `${META}.DeleteOptions`, required: false },
      responses: { 200: `${META}.Status` },
      produces: "objects",
    });
  }
  return operations;
}

/** Kinds whose deletion answers with the object instead of a Status. Source: their stores' ReturnDeletedObject. */
const RETURNS_DELETED = new Set([
  "Pod",
  "Service",
  "ServiceAccount",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "PodTemplate",
  "ResourceQuota",
]);

function itemOperations(place: Place): Unplaced[] {
  const { kind, item, scope, gvk } = place;
  const name = kind.kind;
  const operations = objectOperations({
    path: item,
    suffix: "",
    what: `specified ${name}`,
    type: kind.type,
    gvk,
    scope,
    name,
  }).filter(({ action }) => kind.verbs.includes((action === "put" ? "update" : action) as never));
  if (kind.verbs.includes("delete")) {
    const answer = RETURNS_DELETED.has(name) ? kind.type : `${META}.Status`;
    operations.push({
      path: item,
      method: "delete",
      action: "delete",
      operationId: `delete${scope}${name}`,
      description: `delete ${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`,
      gvk,
      query: DELETE_QUERY,
      body: { type: `${META}.DeleteOptions`, required: false },
      responses: { 200: answer, 202: answer },
      produces: "objects",
    });
  }
  return operations;
}

interface ObjectPlace {
  readonly path: string;
  /** "Status" for the status subresource; "" for the object itself. */
  readonly suffix: string;
  readonly what: string;
  readonly type: string;
  readonly gvk: GroupVersionKind;
  readonly scope: string;
  readonly name: string;
}

/** get, put and patch of an object or of a part of it. */
function objectOperations({ path, suffix, what, type, gvk, scope, name }: ObjectPlace): Unplaced[] {
  const id = (verb: string) => `${verb}${scope}${name}${suffix}`;
  const common = { path, gvk, produces: "objects" } as const;
  return [
    {
      ...common,
      method: "get",
      action: "get",
      operationId: id("read"),
      description: `read ${what.startsWith("specified") ? "the " : ""}${what}`,
      query: [],
      responses: { 200: type },
    },
    {
      ...common,
      method: "put",
      action: "put",
      operationId: id("replace"),
      description: `replace ${what.startsWith("specified") ? "the " : ""}${what}`,
      query: WRITE_QUERY,
      body: { type, required: true },
      responses: { 200: type, 201: type },
    },
    {
      ...common,
      method: "patch",
      action: "patch",
      operationId: id("patch"),
      description: `partially update ${what.startsWith("specified") ? "the " : ""}${what}`,
      query: PATCH_QUERY,
      body: { type: "patch", required: true },
      responses: { 200: type, 201: type },
    },
  ];
}

const SCALE: GroupVersionKind = { group: "autoscaling", version: "v1", kind: "Scale" };

function partOperations({ kind, item, scope, gvk }: Place): Unplaced[] {
  const { status, scale, parts = {} } = kind.subresources;
  const names = [
    ...(status === true ? ["status"] : []),
    ...(scale !== undefined ? ["scale"] : []),
    ...Object.keys(parts),
  ];
  return names.flatMap((name) =>
    objectOperations({
      path: `${item}/${name}`,
      suffix: upper(name),
      what: `${name} of the specified ${kind.kind}`,
      type: name === "scale" ? "api.autoscaling.v1.Scale" : kind.type,
      gvk: name === "scale" ? SCALE : gvk,
      scope,
      name: kind.kind,
    }).filter(({ action }) => !PUT_ONLY_PARTS.has(name) || action === "put"),
  );
}

/** Source: namespace storage FinalizeREST, which has nothing but Update. */
const PUT_ONLY_PARTS = new Set(["finalize"]);

function servedOperations(place: Place): Unplaced[] {
  return (place.kind.subresources.served ?? []).flatMap((served) => {
    if (served.name === "log") return [logOperation(place)];
    return CONNECT_QUERY[served.name] === undefined ? postOperations(place, served) : connectOperations(place, served);
  });
}

const logOperation = ({ item, scope, gvk, kind }: Place): Unplaced => ({
  path: `${item}/log`,
  method: "get",
  action: "get",
  operationId: `read${scope}${kind.kind}Log`,
  description: `read log of the specified ${kind.kind}`,
  gvk,
  query: LOG_QUERY,
  responses: { 200: "string" },
  produces: "log",
});

const servedKind = ({ kind }: Place, { group, version, kind: name }: ServedSubresource): GroupVersionKind => ({
  group: group ?? kind.group,
  version: version ?? kind.version,
  kind: name,
});

/** binding, eviction, token: something is created through the object. */
function postOperations(place: Place, served: ServedSubresource): Unplaced[] {
  if (!served.verbs.includes("create")) return [];
  const { item, scope, kind } = place;
  const gvk = servedKind(place, served);
  const type = `api.${gvk.group === "" ? "core" : gvk.group.split(".")[0]}.${gvk.version}.${gvk.kind}`;
  return [
    {
      path: `${item}/${served.name}`,
      method: "post",
      action: "post",
      operationId: `create${scope}${kind.kind}${upper(served.name)}`,
      description: `create ${served.name} of ${/^[AEIO]/.test(kind.kind) ? "an" : "a"} ${kind.kind}`,
      gvk,
      query: WRITE_QUERY,
      body: { type, required: true },
      responses: { 200: type, 201: type, 202: type },
      produces: "objects",
    },
  ];
}

const PROXY_METHODS: readonly Method[] = ["delete", "get", "head", "options", "patch", "post", "put"];

function connectOperations(place: Place, served: ServedSubresource): Unplaced[] {
  const { item, scope, kind } = place;
  const gvk = servedKind(place, served);
  const methods = served.name === "proxy" ? PROXY_METHODS : (["get", "post"] as const);
  const one = (method: Method, path: string, suffix: string): Unplaced => ({
    path,
    method,
    action: "connect",
    operationId: `connect${groupVersionName(kind)}${upper(method)}${scope.slice(groupVersionName(kind).length)}${kind.kind}${upper(served.name)}${suffix}`,
    description: `connect ${method.toUpperCase()} requests to ${served.name} of ${kind.kind}`,
    gvk,
    query: CONNECT_QUERY[served.name] ?? [],
    responses: { 200: "string" },
    produces: "any",
  });
  return methods.flatMap((method) => [
    one(method, `${item}/${served.name}`, ""),
    ...(served.name === "proxy" ? [one(method, `${item}/proxy/{path}`, "WithPath")] : []),
  ]);
}

export const tagOf = ({ group, version }: { group: string; version: string }): string =>
  group === ""
    ? `core_${version}`
    : `${group
        .replace(/\.k8s\.io$/, "")
        .replaceAll(".", "")
        .replace(/authorization$/, "Authorization")}_${version}`;

export const serverPathOf = (groupVersion: { group: string; version: string }): string =>
  groupVersion.group === "" ? `api/${groupVersion.version}` : `apis/${apiVersionOf(groupVersion)}`;
