/** Issues tokens for a ServiceAccount. Source: kubernetes pkg/registry/core/serviceaccount/storage/token.go. */
import type { TokenRequest } from "../../api/generated/authentication-v1.ts";
import { ApiError, conflict, notFound } from "../../machinery/errors.ts";
import { FieldPath, invalid, invalidObject } from "../../machinery/fieldErrors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { timestamp } from "../../machinery/object.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { BoundObject, TokenSubject } from "../../pki/serviceAccountTokens.ts";
import type { ResourceRequest } from "../context.ts";
import { badRequest, methodNotAllowed } from "../errors.ts";
import { objectResponse } from "../output/view.ts";
import type { SubresourceHandler } from "../router.ts";
import { keyOfRequest } from "../verbs/get.ts";

const TOKEN_REQUEST = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  type: "api.authentication.v1.TokenRequest",
};

/** Source: apis/authentication/v1 defaults, and validation. */
const LIFETIME_SECONDS = 3600;
const LIFETIME_SECONDS_MIN = 600;
const LIFETIME_SECONDS_MAX = 2 ** 32;

async function handle(call: ResourceRequest): Promise<ApiResponse> {
  const { request, server, resource, info } = call;
  if (info.verb !== "create") throw methodNotAllowed();
  if (server.tokens === undefined) throw new ApiError("NotFound", "the server could not find the requested resource");
  await server.reader.fresh();
  const { object, warnings } = server.codecs.decode(request, TOKEN_REQUEST, "Warn");
  call.warnings.push(...warnings);
  const asked = object as unknown as TokenRequest;
  checkLifetime(asked);
  const account = resource.store.get(keyOfRequest(call));
  if (account === undefined) throw notFound(resource.ref, info.name);
  const subject = subjectOf(call, account, asked);
  const audiences = asked.spec.audiences?.length ? asked.spec.audiences : server.tokens.defaultAudiences;
  const expirationSeconds = asked.spec.expirationSeconds ?? LIFETIME_SECONDS;
  const issued = server.tokens.signer.issue(subject, audiences, expirationSeconds);
  const { name, namespace } = account.metadata;
  return objectResponse(
    {
      ...asked,
      metadata: { name, namespace, creationTimestamp: timestamp(server.env.clock.now()) },
      spec: { ...asked.spec, audiences, expirationSeconds, boundObjectRef: asked.spec.boundObjectRef ?? null },
      status: { token: issued.token, expirationTimestamp: timestamp(issued.expiresAtMs) },
    },
    201,
  );
}

function checkLifetime({ spec }: TokenRequest): void {
  const seconds = spec.expirationSeconds ?? LIFETIME_SECONDS;
  const path = new FieldPath("spec").at("expirationSeconds");
  const fail = (detail: string): never => {
    throw invalidObject(TOKEN_REQUEST, "", [invalid(path, seconds, detail)]);
  };
  if (seconds < LIFETIME_SECONDS_MIN) fail("may not specify a duration less than 10 minutes");
  if (seconds > LIFETIME_SECONDS_MAX) fail("may not specify a duration larger than 2^32 seconds");
}

/** What the token is bound to must exist, and be of this account. */
function subjectOf(
  { server, info, resource }: ResourceRequest,
  account: KubeObject,
  { spec }: TokenRequest,
): TokenSubject {
  const { namespace } = info;
  const serviceAccount = boundOf(account);
  const ref = spec.boundObjectRef;
  if (ref === undefined || ref === null) return { namespace, serviceAccount };
  const { kind = "", apiVersion = "", name = "", uid = "" } = ref;
  if (apiVersion !== "v1" || (kind !== "Pod" && kind !== "Secret" && kind !== "Node")) {
    throw badRequest(`cannot bind token to object of type ${JSON.stringify({ kind, apiVersion })}`);
  }
  const plural = `${kind.toLowerCase()}s`;
  const found = server.reader.get<BoundKind>({ group: "", resource: plural }, kind === "Node" ? "" : namespace, name);
  if (found === undefined) throw notFound({ group: "", resource: plural }, name);
  if (uid !== "" && uid !== found.metadata.uid) {
    const reason = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(resource.ref, account.metadata.name, reason);
  }
  if (kind === "Pod" && found.spec?.serviceAccountName !== account.metadata.name) {
    const who = JSON.stringify(account.metadata.name);
    throw badRequest(`cannot bind token for serviceaccount ${who} to pod running with different serviceaccount name.`);
  }
  if (kind === "Secret") return { namespace, serviceAccount, secret: boundOf(found) };
  if (kind === "Node") return { namespace, serviceAccount, node: boundOf(found) };
  return { namespace, serviceAccount, pod: boundOf(found), ...nodeOf(server, found) };
}

type BoundKind = KubeObject & { readonly spec?: { readonly serviceAccountName?: string; readonly nodeName?: string } };

const boundOf = ({ metadata: { name, uid } }: KubeObject): BoundObject => ({ name, uid });

function nodeOf(server: ResourceRequest["server"], pod: BoundKind): { readonly node?: BoundObject } {
  const nodeName = pod.spec?.nodeName ?? "";
  const node =
    nodeName === "" ? undefined : server.reader.get<KubeObject>({ group: "", resource: "nodes" }, "", nodeName);
  return node === undefined ? {} : { node: boundOf(node) };
}

export const serviceAccountToken: SubresourceHandler = {
  group: "",
  resource: "serviceaccounts",
  subresource: "token",
  handle,
};
