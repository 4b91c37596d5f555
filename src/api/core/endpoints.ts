import { defineKind } from "../../machinery/defineKind.ts";
import type { Endpoints } from "../generated/core-v1.ts";

/** The addresses behind a Service, all in one object. */
export const endpoints = defineKind<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  storagePrefix: "/registry/services/endpoints",
  createOnUpdate: true,
});
