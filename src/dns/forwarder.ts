/** Asks the machine's resolvers for names that are not the cluster's, and remembers what they said for a while. */
import type { Env } from "../lib/env.ts";
import { HEADER_BYTES, readdress, ttlFields } from "./message.ts";

/** Sends a message to a resolver and gives what comes back. @throws Error when it cannot, or the signal aborts. */
export type Exchange = (
  upstream: string,
  message: Uint8Array,
  transport: "udp" | "tcp",
  signal: AbortSignal,
) => Promise<Uint8Array>;

export interface Forwarder {
  /** The answer for this query, with its id. undefined: nobody could be asked, or answered. */
  forward(query: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array | undefined>;
}

/** How long one resolver may take. Source: CoreDNS plugin/pkg/proxy, readTimeout. */
const ANSWER_MS = 2_000;
/** How long a question may take with all of them. Source: CoreDNS plugin/forward, defaultTimeout. */
const QUESTION_MS = 5_000;
/** A datagram may be lost: how often each resolver is asked, as long as there is time. Ours: CoreDNS bounds the time alone. */
const ROUNDS_MAX = 3;
/** How long the machine's list of resolvers is taken to be what it was. Ours: CoreDNS reads it only when it starts. */
const UPSTREAMS_HELD_MS = 5_000;
/** Questions under way; more are turned away. Source: kubeadm's Corefile, max_concurrent. */
const QUESTIONS_MAX = 1_000;
/** Source: kubeadm's Corefile, `cache 30`, and CoreDNS plugin/cache, minTTL and defaultCap. */
const CACHE_SECONDS = { min: 5, max: 30 } as const;
const CACHE_ENTRIES_MAX = 9_984;

interface Cached {
  readonly message: Uint8Array;
  readonly storedMs: number;
  readonly untilMs: number;
}

/** @param upstreams asked for again and again: a machine that changes its network has others */
export function createForwarder(env: Env, upstreams: () => readonly string[], exchange: Exchange): Forwarder {
  const cache = new Map<string, Cached>();
  const underWay = new Map<string, Promise<Uint8Array | undefined>>();

  let present: { readonly upstreams: readonly string[]; readonly untilMs: number } | undefined;
  const presentUpstreams = (): readonly string[] => {
    const nowMs = env.clock.monotonic();
    if (present === undefined || present.untilMs <= nowMs) {
      present = { upstreams: upstreams(), untilMs: nowMs + UPSTREAMS_HELD_MS };
    }
    return present.upstreams;
  };

  const askOne = async (upstream: string, query: Uint8Array, transport: "udp" | "tcp", withinMs: number) => {
    const abort = new AbortController();
    const timer = env.clock.setTimer(withinMs, () => abort.abort(new Error(`no answer within ${withinMs} ms`)));
    try {
      return await exchange(upstream, query, transport, abort.signal);
    } finally {
      timer.cancel();
    }
  };

  const askAll = async (query: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array | undefined> => {
    const deadlineMs = env.clock.monotonic() + QUESTION_MS;
    const candidates = presentUpstreams();
    const first = env.random.int(Math.max(1, candidates.length));
    for (let turn = 0; turn < candidates.length * ROUNDS_MAX; turn++) {
      const leftMs = deadlineMs - env.clock.monotonic();
      if (leftMs <= 0) return undefined;
      const upstream = candidates[(first + turn) % candidates.length] as string;
      try {
        return await askOne(upstream, query, transport, Math.min(ANSWER_MS, leftMs));
      } catch (error) {
        env.log.debug("a resolver did not answer", { upstream, error: String(error) });
      }
    }
    return undefined;
  };

  const remember = (key: string, message: Uint8Array) => {
    const seconds = cacheSeconds(message);
    if (seconds === undefined) return;
    if (cache.size >= CACHE_ENTRIES_MAX) cache.delete(cache.keys().next().value as string);
    const storedMs = env.clock.monotonic();
    cache.set(key, { message, storedMs, untilMs: storedMs + seconds * 1000 });
  };

  const ask = async (key: string, query: Uint8Array, transport: "udp" | "tcp") => {
    const id = env.random.int(0x10000);
    const message = await askAll(readdress(query, id), transport);
    if (message !== undefined) remember(key, message);
    return message;
  };

  return {
    forward: async (query, transport) => {
      // All but the id: the same question with the same options gets the same answer.
      const key = `${transport}${Buffer.from(query.subarray(2)).toString("latin1")}`;
      const id = new DataView(query.buffer, query.byteOffset).getUint16(0);
      const nowMs = env.clock.monotonic();
      const cached = cache.get(key);
      if (cached !== undefined && cached.untilMs > nowMs) {
        return readdress(cached.message, id, Math.floor((nowMs - cached.storedMs) / 1000));
      }
      cache.delete(key);
      if (!underWay.has(key) && underWay.size >= QUESTIONS_MAX) return undefined;
      const asked = underWay.get(key) ?? ask(key, query, transport).finally(() => underWay.delete(key));
      underWay.set(key, asked);
      const message = await asked;
      return message === undefined ? undefined : readdress(message, id);
    },
  };
}

/** How long an answer may be repeated; undefined: not at all (failures, and what was cut short). */
function cacheSeconds(message: Uint8Array): number | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const [high, low] = [message[2] as number, message[3] as number];
  const code = low & 0xf;
  if ((high & 0x02) !== 0 || (code !== 0 && code !== 3)) return undefined;
  const { fields, negativeSeconds } = ttlFields(message);
  const hasAnswers = ((message[6] as number) << 8) + (message[7] as number) > 0;
  const seconds = hasAnswers
    ? Math.min(...fields.map((field) => field.seconds))
    : (negativeSeconds ?? CACHE_SECONDS.min);
  return Math.min(CACHE_SECONDS.max, Math.max(CACHE_SECONDS.min, seconds));
}
