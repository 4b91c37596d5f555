import { pathNotFound } from "../errors.ts";
import type { Route } from "../requestHandler.ts";

const PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const BYTES = Buffer.from(
  `${JSON.stringify({
    kind: "CustomResourceDefinitionList",
    apiVersion: "apiextensions.k8s.io/v1",
    metadata: { resourceVersion: "1" },
    items: [],
  })}\n`,
);

/**
 * kubectl asks which custom resources there are before it says that a kind is unknown, and takes a missing answer for a
 * failure. There are none, and their group is not served, so discovery does not name it and nothing else is answered.
 */
export const noCustomResources: Route = {
  prefix: PATH,
  isListed: false,
  handle: async ({ method, path, query }) => {
    if (method !== "GET" || path !== PATH || query?.has("watch")) throw pathNotFound();
    return { type: "bytes", status: 200, contentType: "application/json", bytes: BYTES };
  },
};
