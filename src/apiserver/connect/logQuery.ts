/** What a request for a pod's log asks for: checked, and as the kubelet takes it. Source: ValidatePodLogOptions, pod.LogLocation. */
import { ApiError } from "../../machinery/errors.ts";
import { type FieldError, forbiddenField, invalid, invalidObject, root } from "../../machinery/fieldErrors.ts";

const FLAGS = ["follow", "previous", "timestamps", "insecureSkipTLSVerifyBackend"];
const NUMBERS = ["sinceSeconds", "tailLines", "limitBytes"] as const;
type Numbers = Partial<Record<(typeof NUMBERS)[number], number>>;

/** Source: time.RFC3339, as Go parses it. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** A flag is on whatever it says, unless that is "false" or "0". Source: apimachinery runtime/conversion.go. */
const isOn = (text: string | null): boolean => text !== null && text.toLowerCase() !== "false" && text !== "0";

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new ApiError("BadRequest", `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function sinceTimeOf(query: URLSearchParams): string | undefined {
  const text = query.get("sinceTime") ?? "";
  if (text === "" || text === "null") return undefined;
  if (RFC3339.test(text) && !Number.isNaN(Date.parse(text))) return text;
  const quoted = JSON.stringify(text);
  throw new ApiError("BadRequest", `parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted}`);
}

function problems({ tailLines, limitBytes, sinceSeconds }: Numbers, sinceTime: unknown, stream: unknown) {
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0)
    errors.push(invalid(root.at("tailLines"), tailLines, "must be greater than or equal to 0"));
  if (limitBytes !== undefined && limitBytes < 1)
    errors.push(invalid(root.at("limitBytes"), limitBytes, "must be greater than 0"));
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    errors.push(forbiddenField(root, "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    errors.push(invalid(root.at("sinceSeconds"), sinceSeconds, "must be greater than 0"));
  // Streams apart are the feature gate PodLogsQuerySplitStreams, which is off by default.
  if (stream !== null) errors.push(forbiddenField(root.at("stream"), "may not be specified"));
  return errors;
}

/** @throws ApiError BadRequest, Invalid */
export function logQuery(podName: string, asked: URLSearchParams): URLSearchParams {
  const numbers: Numbers = Object.fromEntries(NUMBERS.map((name) => [name, numberOf(asked, name)]));
  const sinceTime = sinceTimeOf(asked);
  const errors = problems(numbers, sinceTime, asked.get("stream"));
  if (errors.length > 0) throw invalidObject({ group: "", kind: "PodLogOptions" }, podName, errors);
  const query = new URLSearchParams();
  for (const name of FLAGS) if (isOn(asked.get(name))) query.set(name, "true");
  if (sinceTime !== undefined) query.set("sinceTime", sinceTime);
  for (const [name, value] of Object.entries(numbers)) if (value !== undefined) query.set(name, `${value}`);
  return query;
}
