import { defineKind } from "../../machinery/defineKind.ts";
import type { EndpointSlice } from "../generated/discovery-v1.ts";

/** Some of the addresses behind a Service. */
export const endpointSlice = defineKind<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "Namespaced",
  hasGeneration: true,
});
