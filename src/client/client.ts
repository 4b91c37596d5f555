/** The typed client: verbs on kinds, over any transport. */
import type { AnyKind, KindDefinition } from "../machinery/defineKind.ts";
import type { Draft, KubeList, KubeObject, WatchEvent } from "../machinery/object.ts";
import { apiVersionOf } from "../machinery/object.ts";
import type { ApiRequest } from "../machinery/requests.ts";
import type { Transport } from "./transport.ts";

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export interface Target {
  readonly name: string;
  readonly namespace?: string;
  /** "status", "scale", "binding", … */
  readonly subresource?: string;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  readonly subresource?: string;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export type PatchType = "json" | "merge" | "strategic" | "apply";

const PATCH_CONTENT_TYPES: Record<PatchType, string> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

export interface Client {
  get<T extends KubeObject>(kind: KindDefinition<T>, target: Target): Promise<T>;
  list<T extends KubeObject>(kind: KindDefinition<T>, options?: ListOptions): Promise<KubeList<T>>;
  watch<T extends KubeObject>(
    kind: KindDefinition<T>,
    options?: WatchOptions,
  ): Promise<AsyncIterable<readonly WatchEvent<T>[]>>;
  create<T extends KubeObject>(kind: KindDefinition<T>, object: Draft<T> | T, options?: WriteOptions): Promise<T>;
  update<T extends KubeObject>(kind: KindDefinition<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    kind: KindDefinition<T>,
    target: Target,
    type: PatchType,
    patch: object,
    options?: WriteOptions & { readonly force?: boolean; readonly fieldManager?: string },
  ): Promise<T>;
  /** Resolves with the object as it was, or with a Status where it is gone at once. */
  delete(kind: AnyKind, target: Target, options?: DeleteOptions): Promise<KubeObject>;
  /** Any request, with this client's user agent; for subresources whose kind differs. */
  raw<T = unknown>(request: ApiRequest): Promise<T>;
  readonly transport: Transport;
  /** The field manager and user agent that its writes carry. */
  readonly userAgent: string;
}

/** "/apis/apps/v1/namespaces/default/deployments/web/status" */
export function resourcePath(
  kind: { group: string; version: string; plural: string; scope: string },
  { name, namespace, subresource }: Partial<Target> = {},
): string {
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = kind.scope === "Namespaced" && namespace !== undefined ? `/namespaces/${namespace}` : "";
  const tail = [kind.plural, name, subresource].filter((part) => part !== undefined && part !== "").join("/");
  return `${base}${scope}/${tail}`;
}

const queryOf = (values: Record<string, string | number | boolean | undefined>): URLSearchParams => {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values))
    if (value !== undefined && value !== "") query.set(key, `${value}`);
  return query;
};

const listQuery = (options: WatchOptions) =>
  queryOf({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    allowWatchBookmarks: options.allowWatchBookmarks,
    timeoutSeconds: options.timeoutSeconds,
  });

/** @param userAgent names the component, as in "kube-scheduler"; it becomes the field manager of its writes. */
export function createClient(transport: Transport, userAgent: string): Client {
  const headers = { "user-agent": userAgent, accept: "application/json" };
  const jsonHeaders = { ...headers, "content-type": "application/json" };
  const send = async <T>(request: ApiRequest): Promise<T> => (await transport.request(request)).body as T;
  const stamped = <T extends KubeObject>(kind: KindDefinition<T>, object: Draft<T> | T): object => ({
    ...object,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
  });
  const writeQuery = (options: WriteOptions = {}) =>
    queryOf({ dryRun: options.dryRun === true ? "All" : undefined, fieldManager: userAgent });
  const signalOf = ({ signal }: ListOptions) => (signal === undefined ? {} : { signal });

  return {
    transport,
    userAgent,
    get: (kind, target) => send({ method: "GET", path: resourcePath(kind, target), headers }),
    list: (kind, options = {}) =>
      send({
        method: "GET",
        path: resourcePath(kind, options),
        query: listQuery(options),
        headers,
        ...signalOf(options),
      }),
    watch: async (kind, options = {}) => {
      const query = listQuery(options);
      query.set("watch", "true");
      const request: ApiRequest = {
        method: "GET",
        path: resourcePath(kind, options),
        query,
        headers,
        ...signalOf(options),
      };
      return (await transport.watch(request)) as AsyncIterable<readonly WatchEvent<never>[]>;
    },
    create: (kind, object, options) =>
      send({
        method: "POST",
        path: resourcePath(kind, {
          ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
          ...(options?.subresource !== undefined && {
            name: object.metadata.name ?? "",
            subresource: options.subresource,
          }),
        }),
        query: writeQuery(options),
        headers: jsonHeaders,
        body: stamped(kind, object),
      }),
    update: (kind, object, options) =>
      send({
        method: "PUT",
        path: resourcePath(kind, {
          name: object.metadata.name,
          ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
          ...(options?.subresource !== undefined && { subresource: options.subresource }),
        }),
        query: writeQuery(options),
        headers: jsonHeaders,
        body: stamped(kind, object),
      }),
    patch: (kind, target, type, patch, options = {}) => {
      const query = writeQuery(options);
      if (options.fieldManager !== undefined) query.set("fieldManager", options.fieldManager);
      if (options.force === true) query.set("force", "true");
      const path = resourcePath(kind, {
        ...target,
        ...(options.subresource !== undefined && { subresource: options.subresource }),
      });
      return send({
        method: "PATCH",
        path,
        query,
        headers: { ...headers, "content-type": PATCH_CONTENT_TYPES[type] },
        body: patch,
      });
    },
    delete: (kind, target, options = {}) =>
      send({
        method: "DELETE",
        path: resourcePath(kind, target),
        headers: jsonHeaders,
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          ...options,
          ...(options.dryRun !== undefined && { dryRun: options.dryRun ? ["All"] : [] }),
        },
      }),
    raw: (request) => send({ ...request, headers: { ...headers, ...request.headers } }),
  };
}
