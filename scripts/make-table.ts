/**
 * Makes `src/api/table.json`, the one committed table of API types, from upstream's published schema, protobuf
 * numbers, resources and defaults. Run it only when the API level changes:
 *
 *     node scripts/make-table.ts FACTS_DIR
 *
 * One line per type. A field is one string: `<protobuf number or -> <type> [flag…]`.
 * A number `1.2` is field 2 of the message that Go embeds as field 1.
 * Types: string int32 int64 double bool time microtime duration bytes quantity intstr any, `[]T`, `{}T` (a map with
 * string keys), or another type's name. Flags: `list=map:k1,k2 | list=set | list=atomic`, `map=atomic`,
 * `merge=<patch merge key>`, `strategy=<patch strategy>`, `default=<JSON>`.
 *
 * `always` lists, per type, the fields that Go writes even when they are empty: those without `omitempty`, and structs
 * and times held by value (a container's `resources: {}`, a condition's `lastProbeTime: null`). `pointers` lists the scalar fields that Go holds by pointer, for which
 * zero and absent differ. `goTypes` lists the fields whose type Go names, with that name (`.ServiceType` is one of the
 * same package), and `embeds` the struct that a type embeds. These were read from the Go types of k8s.io/api once and are
 * kept as they are. `enums` lists the values of the named types that have a closed set of them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const directory = process.argv[2];
if (directory === undefined) throw new Error("usage: node scripts/make-table.ts FACTS_DIR");
const load = (name: string) => JSON.parse(readFileSync(join(directory, `${name}-1.36.json`), "utf8"));

// biome-ignore lint/suspicious/noExplicitAny: foreign JSON, read once by a development script
type Foreign = any;
const schema: Record<string, Foreign> = load("schema");
const protobuf: Record<string, [string, number, string][]> = load("protobuf");
const resources: Foreign[] = load("resources");
const { defaults, enums } = load("enums-defaults") as {
  defaults: Record<string, string>;
  enums: Record<string, string[]>;
};

const SCALARS: Record<string, string> = {
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "duration",
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intstr",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
};
const short = (name: string) => name.replace(/^io\.k8s\./, "");
const refName = (ref: string) => ref.replace("#/definitions/", "");

function typeOf(node: Foreign): string {
  if (node.$ref !== undefined) {
    const name = refName(node.$ref);
    if (SCALARS[name] !== undefined) return SCALARS[name];
    const target = schema[name];
    if (target.properties === undefined) return target.type === undefined ? "any" : typeOf(target);
    return short(name);
  }
  switch (node.type) {
    case "array":
      return `[]${typeOf(node.items)}`;
    case "object":
      return node.additionalProperties === undefined ? "any" : `{}${typeOf(node.additionalProperties)}`;
    case "boolean":
      return "bool";
    case "integer":
      return node.format ?? "int64";
    case "number":
      return "double";
    case "string":
      return node.format === "byte" ? "bytes" : node.format === "int-or-string" ? "intstr" : "string";
    default:
      return "any";
  }
}

/** `io.k8s.api.core.v1.X` is `k8s.io.api.core.v1.X` in protobuf and `k8s.io/api/core/v1.X` in Go. */
const protobufName = (name: string) =>
  name
    .replace(/^io\.k8s\./, "k8s.io.")
    .replace("apiextensions-apiserver", "apiextensions_apiserver")
    .replace("kube-aggregator", "kube_aggregator");
const goName = (name: string) => {
  const parts = name.replace(/^io\.k8s\./, "k8s.io/").split(".");
  return `${parts.slice(0, 2).join(".")}/${parts.slice(2, -1).join("/")}.${parts.at(-1)}`.replace(
    "k8s.io/api/",
    "k8s.io/api/",
  );
};
const goDefault = (name: string, field: string): string | undefined => {
  const found =
    defaults[`${goName(name)}.${field}`] ?? defaults[`${goName(name).replace("k8s.io/api.", "k8s.io/api/")}.${field}`];
  return found === undefined || found.startsWith("ref(") ? undefined : found;
};

function fieldText(typeName: string, field: string, node: Foreign, numbers: Map<string, string>): string {
  const flags: string[] = [];
  const listType = node["x-kubernetes-list-type"];
  if (listType === "map") flags.push(`list=map:${node["x-kubernetes-list-map-keys"].join(",")}`);
  else if (listType !== undefined) flags.push(`list=${listType}`);
  if (node["x-kubernetes-map-type"] === "atomic") flags.push("map=atomic");
  if (node["x-kubernetes-patch-merge-key"] !== undefined) flags.push(`merge=${node["x-kubernetes-patch-merge-key"]}`);
  if (node["x-kubernetes-patch-strategy"] !== undefined) flags.push(`strategy=${node["x-kubernetes-patch-strategy"]}`);
  const byDefault = node.default !== undefined ? JSON.stringify(node.default) : goDefault(typeName, field);
  if (byDefault !== undefined && byDefault !== "{}" && !byDefault.includes(" ")) flags.push(`default=${byDefault}`);
  return [numbers.get(field) ?? "-", typeOf(node), ...flags].join(" ");
}

/**
 * Protobuf numbers by JSON field. What Go embeds is inlined in JSON but a message of its own in protobuf: its fields have
 * the number `<of the message>.<of the field in it>`.
 */
function numbersOf(name: string, fields: readonly string[]): Map<string, string> {
  const own = protobuf[protobufName(name)] ?? [];
  const numbers = new Map<string, string>();
  for (const [field, number, type] of own) {
    if (fields.includes(field)) numbers.set(field, `${number}`);
    else {
      for (const [inner, innerNumber] of protobuf[type] ?? []) {
        if (fields.includes(inner) && !numbers.has(inner)) numbers.set(inner, `${number}.${innerNumber}`);
      }
    }
  }
  return numbers;
}

const lines: string[] = [];
for (const [name, definition] of Object.entries(schema).sort(([a], [b]) => (a < b ? -1 : 1))) {
  if (SCALARS[name] !== undefined || definition.properties === undefined) continue;
  const numbers = numbersOf(name, Object.keys(definition.properties));
  const fields = Object.fromEntries(
    Object.entries(definition.properties).map(([field, node]) => [field, fieldText(name, field, node, numbers)]),
  );
  const entry: Foreign = { fields };
  if (definition.required !== undefined) entry.required = definition.required;
  if (definition["x-kubernetes-map-type"] === "atomic") entry.atomic = true;
  if (definition["x-kubernetes-unions"] !== undefined) entry.unions = definition["x-kubernetes-unions"];
  const gvks = definition["x-kubernetes-group-version-kind"] ?? [];
  if (gvks.length > 0) entry.kinds = gvks.map((gvk: Foreign) => `${gvk.group}/${gvk.version}/${gvk.kind}`);
  lines.push(`${JSON.stringify(short(name))}: ${JSON.stringify(entry)}`);
}
const tablePath = join(import.meta.dirname, "../src/api/table.json");
const KEPT = ["always", "pointers", "goTypes", "embeds"] as const;
const kept = JSON.parse(readFileSync(tablePath, "utf8")) as Record<(typeof KEPT)[number], Record<string, string>>;
const linesOf = (map: Record<string, unknown>) =>
  Object.entries(map)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(",\n");
const keptSections = KEPT.map((key) => `"${key}": {\n${linesOf(kept[key])}\n}`).join(",\n");

/** Of types that some field has. */
const namedTypes = new Set(
  Object.entries(kept.goTypes).flatMap(([type, fields]) => {
    const ownPackage = type.split(".").slice(0, -1).join("/");
    return fields.split(" ").map((field) => {
      const name = field.slice(field.indexOf("=") + 1).replace(/^(\[\]|map\[.*\])+/, "");
      return name.startsWith(".") ? ownPackage + name : name;
    });
  }),
);
const enumLines = linesOf(
  Object.fromEntries(
    Object.entries(enums)
      .map(([name, values]) => [name.replace("k8s.io/", ""), values] as const)
      .filter(([name]) => namedTypes.has(name)),
  ),
);
const resourceLines = resources.map((resource) => JSON.stringify(resource));
writeFileSync(
  tablePath,
  `{"level": "1.36",\n"types": {\n${lines.join(",\n")}\n},\n"resources": [\n${resourceLines.join(",\n")}\n],\n${keptSections},\n"enums": {\n${enumLines}\n}}\n`,
);
console.log(`${lines.length} types, ${resourceLines.length} resources`);
