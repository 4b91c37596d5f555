/**
 * /openapi/v2 and /openapi/v3: what `kubectl explain`, client-side validation and typed tools read. Made when first asked
 * for and kept as bytes until the served kinds change.
 *
 * Absent on purpose: OpenAPI 3 in protobuf, which no released client asks for alone.
 */
import { createHash } from "node:crypto";
import type { AnyKind } from "../../machinery/defineKind.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import { pageNotFound } from "../errors.ts";
import { gnosticDocument } from "./gnostic.ts";
import { serverPathOf } from "./operations.ts";
import { type Descriptions, groupVersionsOf, type OpenApiTable } from "./typeSchemas.ts";
import { openApiVersion2 } from "./version2.ts";
import { openApiVersion3 } from "./version3.ts";

export interface OpenApiOptions {
  /** What is served now; a new array after every change. */
  readonly kinds: () => readonly AnyKind[];
  readonly table: OpenApiTable;
  /** Read when a document is made, and let go again: the texts are large. */
  readonly descriptions: () => Descriptions;
  /** "v1.36.3+skiff.1" */
  readonly version: string;
}

interface Document {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** Source: kube-openapi pkg/handler. */
const V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const V2_PROTOBUF_ASKED = /application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/;

const document = (bytes: Uint8Array): Document => ({
  bytes,
  etag: createHash("sha512").update(bytes).digest("hex").toUpperCase(),
});

export function createOpenApi(options: OpenApiOptions): (request: ApiRequest) => ApiResponse {
  let madeFor: readonly AnyKind[] | undefined;
  const made = new Map<string, Document>();

  function keep(key: string, make: () => Uint8Array): Document {
    const kinds = options.kinds();
    if (kinds !== madeFor) {
      made.clear();
      madeFor = kinds;
    }
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = document(make());
    made.set(key, fresh);
    return fresh;
  }

  const version2 = () => openApiVersion2(options.kinds(), options.table, options.descriptions(), options.version);
  const version3 = (groupVersion: { group: string; version: string }) =>
    keep(serverPathOf(groupVersion), () => {
      const kinds = options
        .kinds()
        .filter(({ group, version }) => group === groupVersion.group && version === groupVersion.version);
      return json(openApiVersion3(kinds, options.table, options.descriptions(), options.version));
    });

  function index(): Document {
    return keep("v3", () => {
      const paths = groupVersionsOf(options.kinds()).map((groupVersion) => {
        const path = serverPathOf(groupVersion);
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${version3(groupVersion).etag}` }];
      });
      return json({ paths: Object.fromEntries(paths) });
    });
  }

  return (request) => {
    const path = request.path.replace(/\/$/, "");
    if (path === "/openapi/v2") {
      return V2_PROTOBUF_ASKED.test(request.headers?.accept ?? "")
        ? respond(
            request,
            keep("v2.pb", () => gnosticDocument(version2())),
            V2_PROTOBUF,
          )
        : respond(
            request,
            keep("v2", () => json(version2())),
            "application/json",
          );
    }
    if (path === "/openapi/v3") return respond(request, index(), "application/json");
    const asked = path.slice("/openapi/v3/".length);
    const found = groupVersionsOf(options.kinds()).find((groupVersion) => serverPathOf(groupVersion) === asked);
    return found === undefined ? pageNotFound : respond(request, version3(found), "application/json");
  };
}

const json = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

function respond(request: ApiRequest, { bytes, etag }: Document, contentType: string): ApiResponse {
  const quoted = `"${etag}"`;
  // A document asked for by its hash never changes.
  const isImmutable = request.query?.get("hash") === etag;
  const headers = { etag: quoted, vary: "Accept", ...(isImmutable && { "cache-control": "public, immutable" }) };
  if (request.headers?.["if-none-match"] === quoted)
    return { type: "bytes", status: 304, contentType, headers, bytes: new Uint8Array() };
  return { type: "bytes", status: 200, contentType, headers, bytes };
}
