/** What a client accepts. Source: apiserver endpoints/handlers/negotiation. */
import { ApiError } from "../../machinery/errors.ts";

export interface AcceptClause {
  /** "application/json", with wildcards as they came. */
  readonly mediaType: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

/** Best first. No header accepts everything. */
export function parseAccept(header: string | undefined): readonly AcceptClause[] {
  if (header === undefined || header.trim() === "") return [{ mediaType: "*/*", parameters: {}, quality: 1 }];
  return header
    .split(",")
    .map(parseClause)
    .sort((a, b) => b.quality - a.quality);
}

function parseClause(text: string): AcceptClause {
  const [mediaType = "", ...rest] = text.split(";").map((part) => part.trim());
  const parameters = Object.fromEntries(rest.map((part) => part.split("=", 2) as [string, string]));
  return { mediaType: mediaType.toLowerCase(), parameters, quality: Number(parameters.q ?? "1") };
}

/** The first of `offered` that a clause takes in; a wildcard takes the first. */
export function matchMediaType({ mediaType }: AcceptClause, offered: readonly string[]): string | undefined {
  if (mediaType === "*/*" || mediaType === "application/*" || mediaType === "*") return offered[0];
  return offered.find((one) => one === mediaType);
}

/** Source: negotiation NewNotAcceptableError. */
export const notAcceptable = (offered: readonly string[]): ApiError =>
  new ApiError("NotAcceptable", `only the following media types are accepted: ${offered.join(", ")}`);
