/**
 * The sample service. It says its version and its pod's name, answers health checks, burns CPU on request, and shuts
 * down gracefully: on SIGTERM it stops accepting, finishes what is under way, and exits 0.
 *
 * GET /          {"version":"0.0.2","pod":"go-api-…"}
 * GET /healthz   ok
 * GET /burn?ms=N keeps one core busy for N milliseconds (5,000 at the most)
 *
 * Environment: VERSION, HOSTNAME (the pod's name), PORT (8080), CRASH ("1" exits at once with code 1).
 */
import { createServer } from "node:http";

const version = process.env.VERSION ?? "0.0.0";
const port = Number(process.env.PORT ?? 8080);
const BURN_MS_MAX = 5_000;

if (process.env.CRASH === "1") {
  console.error(`version ${version} cannot start: it is the broken one`);
  process.exit(1);
}

function burn(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/healthz") {
    response.end("ok\n");
    return;
  }
  if (url.pathname === "/burn") burn(Math.min(Number(url.searchParams.get("ms") ?? 100), BURN_MS_MAX));
  else if (url.pathname !== "/") {
    response.statusCode = 404;
    response.end("not found\n");
    return;
  }
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify({ version, pod: process.env.HOSTNAME ?? "" })}\n`);
});

server.listen(port, () => console.log(`version ${version} listens on port ${port}`));

process.on("SIGTERM", () => {
  console.log("SIGTERM: finishing what is under way");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
