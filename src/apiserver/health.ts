/** `/healthz`, `/livez`, `/readyz`. Source: apiserver server/healthz. */
import type { ApiRequest, ApiResponse } from "../machinery/requests.ts";

export interface HealthCheck {
  readonly name: string;
  /** @throws Error saying what is wrong */
  readonly check: () => void | Promise<void>;
  /** Asked only for readiness: something is wrong for now that a restart would not mend. */
  readonly readinessOnly?: boolean;
}

const PROBES = new Set(["healthz", "livez", "readyz"]);

const text = (status: number, body: string): ApiResponse => ({
  type: "bytes",
  status,
  contentType: "text/plain; charset=utf-8",
  headers: { "x-content-type-options": "nosniff", "cache-control": "no-cache, private" },
  bytes: Buffer.from(body),
});

/** Undefined for a path that is no probe. */
export async function healthResponse(
  { path, query }: ApiRequest,
  checks: readonly HealthCheck[],
): Promise<ApiResponse | undefined> {
  const [probe = "", ...rest] = path.slice(1).split("/");
  if (!PROBES.has(probe)) return undefined;
  const relevant = checks.filter(({ readinessOnly = false }) => probe === "readyz" || !readinessOnly);
  const name = rest.join("/");
  if (name !== "") return oneCheck(relevant.find((check) => check.name === name));
  const excluded = new Set(query?.getAll("exclude") ?? []);
  const lines: string[] = [];
  let failed = false;
  for (const check of relevant) {
    const isExcluded = excluded.delete(check.name);
    const passed = isExcluded || (await passes(check)) === undefined;
    failed ||= !passed;
    if (isExcluded) lines.push(`[+]${check.name} excluded: ok`);
    else lines.push(passed ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
  }
  for (const unknown of excluded)
    lines.push(`warn: some health checks cannot be excluded: no matches for "${unknown}"`);
  if (failed) return text(500, `${lines.join("\n")}\n${probe} check failed\n`);
  return text(200, query?.has("verbose") ? `${lines.join("\n")}\n${probe} check passed\n` : "ok");
}

async function oneCheck(check: HealthCheck | undefined): Promise<ApiResponse> {
  if (check === undefined) return text(404, "404 page not found\n");
  const problem = await passes(check);
  return problem === undefined ? text(200, "ok") : text(500, `internal server error: ${problem}\n`);
}

async function passes({ check }: HealthCheck): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
