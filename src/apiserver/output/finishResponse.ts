/** The last that happens to an answer: remarks are added, and it takes the form that its client reads. */
import { stringify as stringifyYaml } from "yaml";
import { PROTOBUF_MEDIA_TYPE } from "../../machinery/protobuf/envelope.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import type { Codecs } from "../codecs.ts";
import { responseMediaType } from "./negotiate.ts";
import { warningHeader } from "./warningHeader.ts";

export function finishResponse(
  codecs: Codecs,
  response: ApiResponse,
  warnings: readonly string[],
  request: ApiRequest,
): ApiResponse {
  const warned = withWarnings(response, warnings);
  if (warned.type !== "object") return warned;
  const mediaType = responseMediaType(request.headers?.accept);
  if (mediaType === PROTOBUF_MEDIA_TYPE) {
    const chunks = codecs.protobuf.encode(warned.object);
    return chunks === undefined ? warned : { ...warned, contentType: mediaType, bytes: () => chunks };
  }
  if (mediaType === "application/yaml") {
    return written(warned, mediaType, (value) => stringifyYaml(value, { aliasDuplicateObjects: false }));
  }
  return isReadByPeople(request) ? written(warned, "application/json", indented) : warned;
}

export const indented = (value: unknown): string => JSON.stringify(value, undefined, 2);

type ObjectResponse = Extract<ApiResponse, { type: "object" }>;

/** Anew, from what it is in JSON. */
function written(
  { status, headers = {}, bytes }: ObjectResponse,
  contentType: string,
  write: (value: unknown) => string,
): ApiResponse {
  const json = bytes();
  const whole = json instanceof Uint8Array ? json : Buffer.concat([...json]);
  return { type: "bytes", status, contentType, headers, bytes: Buffer.from(write(JSON.parse(whole.toString()))) };
}

/** Source: endpoints/handlers/negotiation, isPrettyPrint; strconv.ParseBool. */
function isReadByPeople({ query, headers }: ApiRequest): boolean {
  const wish = query?.get("pretty") ?? "";
  if (wish !== "") return ["1", "t", "T", "true", "TRUE", "True"].includes(wish);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(headers?.["user-agent"] ?? "");
}

function withWarnings(response: ApiResponse, warnings: readonly string[]): ApiResponse {
  const warning = warnings.length === 0 ? undefined : warningHeader(warnings);
  return warning === undefined ? response : { ...response, headers: { ...response.headers, warning } };
}
