/** JSON schemas of API types, in the form of OpenAPI 2 or 3, for every type that the served kinds reach. */

import type { AnyKind } from "../../machinery/defineKind.ts";
import { goElement, goTypesOf } from "../../machinery/goTypes.ts";

/** The part of the type table that is read here; see scripts/make-table.ts. */
export interface OpenApiTable {
  readonly types: Readonly<
    Record<
      string,
      {
        readonly fields: Readonly<Record<string, string>>;
        readonly required?: readonly string[];
        readonly atomic?: boolean;
        readonly kinds?: readonly string[];
        readonly unions?: unknown;
      }
    >
  >;
  readonly always?: Readonly<Record<string, string>>;
  readonly goTypes?: Readonly<Record<string, string>>;
  /** Values of the types of `goTypes` that have a closed set of them. */
  readonly enums?: Readonly<Record<string, readonly string[]>>;
}

export type Descriptions = Readonly<
  Record<string, { readonly description: string; readonly fields: Readonly<Record<string, string>> }>
>;

export interface SchemaForm {
  /** "#/definitions/" or "#/components/schemas/". */
  readonly refPrefix: string;
  /** OpenAPI 3 gives defaults, and wraps references that have siblings. */
  readonly isV3: boolean;
  /** Of the document, where each has its own: the option types are then its own too. "apps/v1", "/v1". */
  readonly groupVersion?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON schema is an open format
export type JsonSchema = Record<string, any>;

const NAMED_SCALARS: Readonly<
  Record<string, { readonly name: string; readonly v2: JsonSchema; readonly v3?: JsonSchema }>
> = {
  time: { name: "io.k8s.apimachinery.pkg.apis.meta.v1.Time", v2: { type: "string", format: "date-time" } },
  microtime: { name: "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", v2: { type: "string", format: "date-time" } },
  duration: { name: "io.k8s.apimachinery.pkg.apis.meta.v1.Duration", v2: { type: "string" } },
  quantity: {
    name: "io.k8s.apimachinery.pkg.api.resource.Quantity",
    v2: { type: "string" },
    v3: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  intstr: {
    name: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    v2: { type: "string", format: "int-or-string" },
    v3: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
};

const PLAIN_SCALARS: Readonly<Record<string, JsonSchema>> = {
  string: { type: "string" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  bool: { type: "boolean" },
  bytes: { type: "string", format: "byte" },
  any: { type: "object" },
};

/** Types that stand by their name although they have no fields. */
const NAMED_ANY: Readonly<Record<string, string>> = {
  fieldsV1: "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
  rawExtension: "io.k8s.apimachinery.pkg.runtime.RawExtension",
};
/** Fields of type `any` and the name of their type. */
const ANY_FIELDS: Readonly<Record<string, string>> = {
  "apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry.fieldsV1": NAMED_ANY.fieldsV1 as string,
  "apimachinery.pkg.apis.meta.v1.WatchEvent.object": NAMED_ANY.rawExtension as string,
  "api.apps.v1.ControllerRevision.data": NAMED_ANY.rawExtension as string,
};
export const PATCH_TYPE = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";

export interface TypeSchemas {
  /** A reference to the type, which is thereby among `definitions`. */
  reference(typeName: string): JsonSchema;
  /** Every type reached so far, by full name, sorted. */
  definitions(): Record<string, JsonSchema>;
}

const fullName = (typeName: string) => `io.k8s.${typeName}`;

export function typeSchemas(table: OpenApiTable, descriptions: Descriptions, form: SchemaForm): TypeSchemas {
  const made = new Map<string, JsonSchema>();

  const reference = (typeName: string): JsonSchema => {
    const name = fullName(typeName);
    if (!made.has(name)) {
      made.set(name, {});
      made.set(name, structSchema(typeName));
    }
    return { $ref: form.refPrefix + name };
  };

  const named = (name: string, schema: JsonSchema): JsonSchema => {
    made.set(name, schema);
    return { $ref: form.refPrefix + name };
  };

  function structSchema(typeName: string): JsonSchema {
    const entry = table.types[typeName];
    if (entry === undefined) return { type: "object" };
    const documented = descriptions[typeName];
    const goTypes = goTypesOf(typeName, table.goTypes?.[typeName]);
    const always = new Set(table.always?.[typeName]?.split(" "));
    const properties = Object.fromEntries(
      Object.entries(entry.fields).map(([field, text]) => {
        const values = table.enums?.[goElement(goTypes.get(field) ?? "")];
        const place = { typeName, field, values, isAlways: always.has(field) };
        return [field, fieldSchema(place, text, documented?.fields[field])];
      }),
    );
    const all = entry.kinds ?? [];
    const own = all.filter((kind) => kind.startsWith(`${form.groupVersion}/`));
    const kinds = own.length > 0 ? own : all;
    return {
      ...(documented !== undefined && documented.description !== "" && { description: documented.description }),
      ...(Object.keys(properties).length > 0 && { properties }),
      ...(entry.required !== undefined && { required: entry.required }),
      type: "object",
      ...(kinds.length > 0 && { "x-kubernetes-group-version-kind": kinds.map(gvkOf) }),
      ...(entry.atomic === true && { "x-kubernetes-map-type": "atomic" }),
      ...(entry.unions !== undefined && { "x-kubernetes-unions": entry.unions }),
    };
  }

  function fieldSchema(place: FieldPlace, text: string, description: string | undefined): JsonSchema {
    const { typeName, field, values, isAlways } = place;
    const [, type = "any", ...flags] = text.split(" ");
    // Where a field that refers to a type has no text of its own, the type's is what people want to read.
    const explanation = description ?? descriptions[type.replace(/^(\[\]|\{\})+/, "")]?.description;
    const anyName = ANY_FIELDS[`${typeName}.${field}`];
    const whole = anyName === undefined ? schemaOf(type) : named(anyName, { type: "object" });
    const schema = values === undefined ? whole : withEnum(whole, values);
    const shown = [explanation ?? "", values === undefined || schema.items !== undefined ? "" : enumText(values)];
    const documentation = shown.filter((part) => part !== "").join("\n\n");
    const extra = {
      ...(documentation !== "" && { description: documentation }),
      ...extensions(flags),
      ...defaultOf(flags),
      ...(form.isV3 && isAlways && !flags.some((flag) => flag.startsWith("default=")) && zeroOf(type)),
    };
    const mustWrap = form.isV3 && schema.$ref !== undefined && Object.keys(extra).length > 0;
    return mustWrap ? { ...extra, allOf: [schema] } : { ...extra, ...schema };
  }

  /** OpenAPI 2 as upstream publishes it has no defaults. */
  function defaultOf(flags: readonly string[]): JsonSchema {
    const given = flags.find((flag) => flag.startsWith("default="));
    return form.isV3 && given !== undefined ? { default: JSON.parse(given.slice("default=".length)) } : {};
  }

  function schemaOf(type: string): JsonSchema {
    if (type.startsWith("[]")) return { type: "array", items: elementOf(type.slice(2)) };
    if (type.startsWith("{}")) return { type: "object", additionalProperties: elementOf(type.slice(2)) };
    const scalar = NAMED_SCALARS[type];
    if (scalar !== undefined) return named(scalar.name, (form.isV3 && scalar.v3) || scalar.v2);
    return PLAIN_SCALARS[type] ?? reference(type);
  }

  /** What Go holds by value in a list or map is there even when it is empty, which OpenAPI 3 says. */
  function elementOf(type: string): JsonSchema {
    const schema = schemaOf(type);
    const zero = form.isV3 ? zeroOf(type) : {};
    if (zero.default === undefined) return schema;
    return schema.$ref === undefined ? { ...schema, ...zero } : { ...zero, allOf: [schema] };
  }

  return {
    reference: (typeName) => (typeName === "patch" ? named(PATCH_TYPE, { type: "object" }) : reference(typeName)),
    definitions: () => Object.fromEntries([...made].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

interface FieldPlace {
  readonly typeName: string;
  readonly field: string;
  /** All that it may be, where that is a closed set. */
  readonly values: readonly string[] | undefined;
  /** Held by value, and written even when it is empty. */
  readonly isAlways: boolean;
}

/** On the text itself: on the elements of a list, and not on the list. */
function withEnum(schema: JsonSchema, values: readonly string[]): JsonSchema {
  if (schema.items !== undefined) return { ...schema, items: withEnum(schema.items, values) };
  return schema.type === "string" ? { ...schema, enum: [...values] } : schema;
}

/** Source: kube-openapi pkg/generators/enum.go. */
const enumText = (values: readonly string[]): string =>
  ["Possible enum values:", ...values.map((value) => ` - \`${JSON.stringify(value)}\``)].join("\n");

const ZEROS: Readonly<Record<string, unknown>> = { string: "", int32: 0, int64: 0, double: 0, bool: false };

/** Go's empty value of a type, as a default; none for lists, maps and what has no fields. */
function zeroOf(type: string): JsonSchema {
  if (Object.hasOwn(ZEROS, type)) return { default: ZEROS[type] };
  return type.includes(".") && /^[a-z]/.test(type) ? { default: {} } : {};
}

function gvkOf(text: string): JsonSchema {
  const [group = "", version = "", kind = ""] = text.split("/");
  return { group, kind, version };
}

function extensions(flags: readonly string[]): JsonSchema {
  const found: JsonSchema = {};
  for (const flag of flags) {
    const value = flag.slice(flag.indexOf("=") + 1);
    if (flag.startsWith("list=map:")) {
      found["x-kubernetes-list-map-keys"] = value.slice(4).split(",");
      found["x-kubernetes-list-type"] = "map";
    } else if (flag.startsWith("list=")) found["x-kubernetes-list-type"] = value;
    else if (flag === "map=atomic") found["x-kubernetes-map-type"] = "atomic";
    else if (flag.startsWith("merge=")) found["x-kubernetes-patch-merge-key"] = value;
    else if (flag.startsWith("strategy=")) found["x-kubernetes-patch-strategy"] = value;
  }
  return found;
}

/** Groups of versions in the order of their paths. */
export const groupVersionsOf = (kinds: readonly AnyKind[]): { group: string; version: string }[] => {
  const seen = new Map(kinds.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, groupVersion]) => groupVersion);
};
