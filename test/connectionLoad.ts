/**
 * A client that opens a new connection for each request, so many a second, without retries, and counts what comes back.
 * It runs here and, packed into an image, inside of the cluster.
 *
 * Arguments: URL, requests a second. It says "started" once the first answer has come; SIGTERM ends it, and its last
 * line is its LoadReport.
 */
import { get } from "node:http";

export interface LoadReport {
  readonly requests: number;
  readonly perSecond: number;
  /** When and why, the first ones. */
  readonly failures: readonly string[];
  /** Of the sample, that have answered. */
  readonly versions: readonly string[];
}

const [url, rate] = [process.argv[2] as string, Number(process.argv[3])];
/** An answer that takes longer counts as none. */
const ANSWER_WITHIN_MS = 10_000;
const FAILURES_SHOWN_MAX = 20;

let requests = 0;
let underWay = 0;
const failures: string[] = [];
const versions = new Set<string>();

function request(): void {
  requests++;
  underWay++;
  const startedMs = performance.now();
  const fail = (why: unknown) =>
    failures.push(`${new Date().toISOString()}: ${why} after ${Math.round(performance.now() - startedMs)} ms`);
  const sent = get(url, { agent: false, timeout: ANSWER_WITHIN_MS }, (response) => {
    let body = "";
    response.on("data", (chunk) => {
      body += chunk;
    });
    response.on("error", fail);
    response.on("end", () => {
      if (response.statusCode !== 200) return fail(response.statusCode);
      if (versions.size === 0) console.log("started");
      versions.add(JSON.parse(body).version);
    });
  });
  sent.on("timeout", () => sent.destroy(new Error("no answer")));
  sent.on("error", fail);
  sent.on("close", () => {
    underWay--;
  });
}

const startMs = performance.now();
// What a busy machine delayed is made up for, so the rate holds.
const timer = setInterval(() => {
  const due = ((performance.now() - startMs) / 1000) * rate;
  while (requests < due) request();
}, 1000 / rate);

process.on("SIGTERM", () => {
  clearInterval(timer);
  const perSecond = requests / ((performance.now() - startMs) / 1000);
  const report = setInterval(() => {
    if (underWay > 0) return;
    clearInterval(report);
    const first = failures.slice(0, FAILURES_SHOWN_MAX);
    console.log(JSON.stringify({ requests, perSecond, failures: first, versions: [...versions] } satisfies LoadReport));
  }, 10);
});
