import type { Log } from "./env.ts";

/** Says nothing; for tests and for programs that embed a cluster and do not want its log. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
