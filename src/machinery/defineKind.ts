/**
 * One value per kind. It drives routes, discovery, defaults, validation, OpenAPI, printer columns, `explain`, short
 * names and field selectors; nothing else in the system knows a kind by name.
 *
 * Order on a write: decode by schema → admission (mutating) → `prepareForCreate|Update` → `withDefaults` (also before
 * admission, as decoding defaults do upstream) → `validate` / `validateUpdate` → managed fields → store.
 */
import type { FieldError } from "./fieldErrors.ts";
import type { KubeObject } from "./object.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

export const ALL_VERBS: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

/** A column of the Table that `kubectl get` prints. Source of each: kubernetes pkg/printers/internalversion/printers.go. */
export interface Column<T> {
  readonly name: string;
  /** `date` is printed as an age; `instant` is a date that stays one. */
  readonly type?: "string" | "integer" | "date" | "instant" | "boolean";
  readonly format?: "name" | "";
  readonly description?: string;
  /** 0: always shown; 1: only with `-o wide`. */
  readonly priority?: 0 | 1;
  /** Undefined prints as `<none>` is up to the column: it gives the cell as upstream's printer would. */
  readonly value: (object: T, context: { readonly nowMs: number }) => string | number | boolean | null;
}

export interface RowCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** What a strategy may know beside the object. */
export interface WriteContext {
  readonly nowMs: number;
  /** "", "status", "scale", "ephemeralcontainers", "resize", … */
  readonly subresource: string;
  readonly user: { readonly name: string; readonly groups: readonly string[] };
}

/** How autoscaling/v1 Scale maps onto the kind, as paths into it. */
export interface ScaleMapping {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Path of a LabelSelector or of a plain map (ReplicationController). */
  readonly selector: string;
}

export interface Subresources<T> {
  /** `status` may be updated apart, and is kept apart: an ordinary update never changes it. */
  readonly status?: boolean;
  readonly scale?: ScaleMapping;
  /** Other parts that are written apart, by name: how such a write becomes a new object. */
  readonly parts?: Readonly<Record<string, (next: T, previous: T) => T>>;
  /** Listed in discovery and served elsewhere (log, exec, proxy, token, binding, eviction). */
  readonly served?: readonly ServedSubresource[];
}

export interface ServedSubresource {
  readonly name: string;
  readonly kind: string;
  /** Group and version of that kind where they are not the resource's own. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** The same stored objects under another group and version. */
export interface StoredAs<T extends KubeObject> {
  /** Of the definition whose form is stored, such as `{ group: "", kind: "Event" }`. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The stored form's type is not this definition's. */
  readonly toStored: (object: T) => KubeObject;
  readonly fromStored: (object: KubeObject) => T;
}

export interface KindDefinition<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
  /** Name of its type in the table: "api.core.v1.Pod". */
  readonly type: string;
  readonly verbs: readonly Verb[];
  readonly subresources: Subresources<T>;
  readonly storedAs: StoredAs<T> | undefined;
  /** Key prefix in the store, as kube-apiserver's: "/registry/pods", "/registry/services/specs". */
  readonly storagePrefix: string;
  /** How `metadata.name` is checked; undefined gives a DNS subdomain. Returns messages without the field. */
  readonly validateName: ((name: string, isPrefix: boolean) => readonly string[]) | undefined;
  /** Fills in what upstream's `SetDefaults_*` fill in. Pure; returns the same object when nothing is missing. */
  readonly withDefaults: (object: T) => T;
  /** Drops what the caller may not set (status on create, …). `metadata` is looked after by the registry. */
  readonly prepareForCreate: (object: T, context: WriteContext) => T;
  /** Keeps what may not change by this write; the registry itself keeps `status` apart and counts `generation`. */
  readonly prepareForUpdate: (next: T, previous: T, context: WriteContext) => T;
  /** All errors, without those of `metadata`, which is checked for every kind alike. */
  readonly validate: (object: T, context: WriteContext) => readonly FieldError[];
  /** Errors of the change only; `validate` runs too. */
  readonly validateUpdate: (next: T, previous: T, context: WriteContext) => readonly FieldError[];
  readonly columns: readonly Column<T>[];
  /** What a Table says about a row beside its cells. Source: metav1.TableRowCondition. */
  readonly rowConditions?: (object: T) => readonly RowCondition[] | undefined;
  /** Beside `metadata.name` and `metadata.namespace`. Values are compared as text. */
  readonly fieldSelectors: Readonly<Record<string, (object: T) => string>>;
  /** Whether a change of anything but metadata and status counts `metadata.generation` up. */
  readonly hasGeneration: boolean;
  /** Objects vanish this long after their last write. */
  readonly ttlSeconds: number | undefined;
  /**
   * Graceful deletion: how long this object is given when `requestedSeconds` was asked for (undefined: nothing was).
   * The answer holds, also against what was asked; undefined: it goes at once. Source: CheckGracefulDelete.
   */
  readonly deletionGraceSeconds: ((object: T, requestedSeconds?: number) => number | undefined) | undefined;
  /** What `kubectl delete` without a policy does to dependents. Source: DefaultGarbageCollectionPolicy. */
  readonly defaultPropagation: "Background" | "Orphan";
  /** An update of a missing object makes it (PUT), as for Lease, Event, Endpoints, … Source: AllowCreateOnUpdate. */
  readonly createOnUpdate: boolean;
  /** An update without resourceVersion is taken. Source: AllowUnconditionalUpdate. */
  readonly unconditionalUpdate: boolean;
  /** Non-fatal remarks sent as `Warning` headers; `previous` is what an update changes. Parts of their own have none. */
  readonly warnings: (object: T, previous?: T) => readonly string[];
  /** Said with every answer about a kind that is to go. Source: api/<group>/<version> APILifecycleDeprecated. */
  readonly deprecation: string | undefined;
}

type Defaulted =
  | "singular"
  | "shortNames"
  | "categories"
  | "type"
  | "verbs"
  | "subresources"
  | "storedAs"
  | "storagePrefix"
  | "validateName"
  | "withDefaults"
  | "prepareForCreate"
  | "prepareForUpdate"
  | "validate"
  | "validateUpdate"
  | "columns"
  | "fieldSelectors"
  | "hasGeneration"
  | "ttlSeconds"
  | "deletionGraceSeconds"
  | "defaultPropagation"
  | "createOnUpdate"
  | "unconditionalUpdate"
  | "warnings"
  | "deprecation";

export type KindInput<T extends KubeObject> = Omit<KindDefinition<T>, Defaulted> &
  Partial<Pick<KindDefinition<T>, Defaulted>>;

/** Group as it stands in type names: "rbac.authorization.k8s.io" → "rbac", "" → "core". */
const typeGroup = (group: string) => (group === "" ? "core" : (group.split(".")[0] as string));

const ageColumn: Column<KubeObject> = {
  name: "Age",
  type: "date",
  value: (object) => object.metadata.creationTimestamp ?? null,
};
const nameColumn: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  value: (object) => object.metadata.name,
};

/**
 * Completes a definition. `columns` left out gives Name and Age; given, it is the whole list (use `nameColumn` and
 * `ageColumn`, whose `date` cells the table turns into ages).
 */
export function defineKind<T extends KubeObject>(input: KindInput<T>): KindDefinition<T> {
  return {
    singular: input.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    type: `api.${typeGroup(input.group)}.${input.version}.${input.kind}`,
    verbs: ALL_VERBS,
    subresources: {},
    storedAs: undefined,
    storagePrefix: `/registry/${input.plural}`,
    validateName: undefined,
    withDefaults: (object) => object,
    prepareForCreate: (object) => object,
    prepareForUpdate: (next) => next,
    validate: () => [],
    validateUpdate: () => [],
    columns: [nameColumn, ageColumn],
    fieldSelectors: {},
    hasGeneration: false,
    ttlSeconds: undefined,
    deletionGraceSeconds: undefined,
    defaultPropagation: "Background",
    createOnUpdate: false,
    unconditionalUpdate: true,
    warnings: () => [],
    deprecation: undefined,
    ...input,
  };
}

export { ageColumn, nameColumn };

/** A definition whose object type does not matter to the caller. */
// biome-ignore lint/suspicious/noExplicitAny: definitions of different kinds in one list are only used generically
export type AnyKind = KindDefinition<any>;
