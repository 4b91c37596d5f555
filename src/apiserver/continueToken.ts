/** Where a paged list goes on. Source: apiserver storage/continue.go. */
import { goJsonObjectError } from "../machinery/goJsonError.ts";
import { badRequest } from "./errors.ts";

export interface ContinueToken {
  /** The revision that the first page was read at; -1: go on with what is there now. */
  readonly revision: number;
  /** The last key of the page before, below the resource's prefix. */
  readonly after: string;
}

export const encodeContinue = ({ revision, after }: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${after}\u0000` })).toString("base64url");

/** Source: storage/interfaces.go ValidateListOptions. */
const invalidToken = (fault: string) => badRequest(`invalid continue token: continue key is not valid${fault}`);

/** @throws ApiError 400 */
export function decodeContinue(text: string): ContinueToken {
  const { v, rv, start } = parse(text);
  if (v !== "meta.k8s.io/v1") {
    throw invalidToken(`: server does not recognize this encoded version ${v ?? ""}`);
  }
  if (typeof rv !== "number" || rv === 0) {
    throw invalidToken(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || start === "") {
    throw invalidToken(": encoded start key empty (version meta.k8s.io/v1)");
  }
  return { revision: rv, after: start.endsWith("\u0000") ? start.slice(0, -1) : start };
}

function parse(text: string): { v?: unknown; rv?: unknown; start?: unknown } {
  const wrong = text.search(/[^\w-]/);
  if (wrong >= 0) throw invalidToken(`: illegal base64 data at input byte ${wrong}`);
  const bytes = Buffer.from(text, "base64url");
  const fault = goJsonObjectError(bytes);
  if (fault !== undefined) throw invalidToken(`: ${fault}`);
  return (JSON.parse(bytes.toString()) as object | null) ?? {};
}
