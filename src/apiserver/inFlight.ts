/** How many requests are worked on at once. Source: kube-apiserver --max-requests-inflight and flow control. */
import { ApiError } from "../machinery/errors.ts";
import type { UserInfo } from "../machinery/requests.ts";
import { PRIVILEGED_GROUP } from "./auth/authorizer.ts";
import type { RequestInfo } from "./requestInfo.ts";

const READS_MAX = 400;
const WRITES_MAX = 200;
/** Requests that wait for their turn; beyond this they are refused. Source: flow control, 64 queues of 50. */
const WAITING_MAX = 3_200;

const READ_VERBS = new Set(["get", "list", "watch", "head", "options"]);
const LONG_RUNNING_SUBRESOURCES = new Set(["attach", "exec", "log", "portforward", "proxy"]);

/** Requests that last as long as their client wants. Source: kube-apiserver longRunningRequestCheck. */
export const isLongRunning = ({ verb, subresource }: RequestInfo): boolean =>
  verb === "watch" || LONG_RUNNING_SUBRESOURCES.has(subresource);

class Lane {
  readonly #max: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Undefined when it may start now. @throws ApiError 429 */
  enter(): Promise<void> | undefined {
    if (this.#running < this.#max) {
      this.#running += 1;
      return undefined;
    }
    if (this.#waiting.length >= WAITING_MAX) throw tooManyRequests();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}

const tooManyRequests = (): ApiError =>
  new ApiError("TooManyRequests", "Too many requests, please try again later.", { details: { retryAfterSeconds: 1 } });

export interface InFlight {
  run<T>(info: RequestInfo, user: UserInfo, work: () => Promise<T>): Promise<T>;
}

export function createInFlight(): InFlight {
  const reads = new Lane(READS_MAX);
  const writes = new Lane(WRITES_MAX);
  const run = async <T>(info: RequestInfo, user: UserInfo, work: () => Promise<T>): Promise<T> => {
    if (isLongRunning(info) || user.groups.includes(PRIVILEGED_GROUP)) return work();
    const lane = READ_VERBS.has(info.verb) ? reads : writes;
    const turn = lane.enter();
    if (turn !== undefined) await turn;
    try {
      return await work();
    } finally {
      lane.leave();
    }
  };
  return { run };
}
