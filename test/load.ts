/** Requests at a steady rate, each over a connection of its own and without a second try. */
import { get } from "node:http";

export interface Load {
  /** Ends it. @returns how many were sent and what failed */
  stop(): Promise<{ readonly sent: number; readonly failures: readonly string[] }>;
}

const TIMEOUT_MS = 5_000;

const ask = (url: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`));
      response.once("error", (error) => resolve(error.message));
    });
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.once("error", (error) => resolve(error.message));
  });

export function startLoad(url: string, perSecond: number): Load {
  const underWay = new Set<Promise<unknown>>();
  const failures: string[] = [];
  let sent = 0;
  const timer = setInterval(() => {
    sent++;
    const asking = ask(url).then((failure) => {
      if (failure !== undefined) failures.push(failure);
      underWay.delete(asking);
    });
    underWay.add(asking);
  }, 1_000 / perSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      return { sent, failures };
    },
  };
}

/** The same as a program for a container: it prints its result as JSON when it is told to end. */
export const LOAD_PROGRAM = `
import { get } from "node:http";
const [url, perSecond] = process.argv.slice(2);
const failures = [];
let sent = 0, done = 0;
const timer = setInterval(() => {
  sent++;
  const fail = (text) => { failures.push(text); done++; };
  const request = get(url, { agent: false, timeout: ${TIMEOUT_MS} }, (response) => {
    response.resume();
    response.once("end", () => (response.statusCode === 200 ? done++ : fail("status " + response.statusCode)));
  });
  request.once("timeout", () => request.destroy(new Error("timeout")));
  request.once("error", (error) => fail(error.message));
}, 1000 / Number(perSecond));
process.on("SIGTERM", () => {
  clearInterval(timer);
  const wait = setInterval(() => {
    if (done < sent) return;
    clearInterval(wait);
    console.log(JSON.stringify({ sent, failures }));
    process.exit(0);
  }, 20);
});
console.log("started");
`;
