/** Where a paged list goes on. Source: apiserver storage/continue.go. */
import { badRequest } from "./errors.ts";

export interface ContinueToken {
  /** The revision that the first page was read at; -1: go on with what is there now. */
  readonly revision: number;
  /** The last key of the page before, below the resource's prefix. */
  readonly after: string;
}

export const encodeContinue = ({ revision, after }: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${after}\u0000` })).toString("base64url");

/** @throws ApiError 400 */
export function decodeContinue(text: string): ContinueToken {
  const { v, rv, start } = parse(text);
  if (v !== "meta.k8s.io/v1") {
    throw badRequest(`continue key is not valid: server does not recognize this encoded version ${v}`);
  }
  if (typeof rv !== "number" || rv === 0) {
    throw badRequest("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || start === "") {
    throw badRequest("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  }
  return { revision: rv, after: start.endsWith("\u0000") ? start.slice(0, -1) : start };
}

function parse(text: string): { v?: unknown; rv?: unknown; start?: unknown } {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString()) as object;
  } catch (error) {
    throw badRequest(`continue key is not valid: ${(error as Error).message}`);
  }
}
