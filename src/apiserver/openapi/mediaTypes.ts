/** What operations take and give, the same in both forms of OpenAPI. */
import type { Operation } from "./operations.ts";

const OBJECTS = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

export const PRODUCES: Readonly<Record<Operation["produces"], readonly string[]>> = {
  objects: OBJECTS,
  watch: [...OBJECTS, "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"],
  log: ["text/plain", ...OBJECTS],
  any: ["*/*"],
};

const PATCHES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

export const consumes = ({ method, body }: Operation): readonly string[] =>
  method === "patch" && body !== undefined ? PATCHES : ["*/*"];

export const STATUS_TEXTS: Readonly<Record<string, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };
