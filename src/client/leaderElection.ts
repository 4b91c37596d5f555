import type { Lease } from "../api/generated/coordination-v1.ts";
import { lease as leaseKind } from "../api/index.ts";
import type { Env } from "../lib/env.ts";
import { isApiError } from "../machinery/errors.ts";
import { microTimestamp } from "../machinery/object.ts";
import type { Client } from "./client.ts";
import {
  type Election,
  type ElectionEvent,
  type ElectionTimes,
  initialElection,
  LEASE_TIMES,
  step,
} from "./election.ts";

export interface LeaderElectionOptions {
  readonly env: Env;
  readonly client: Client;
  readonly namespace: string;
  readonly name: string;
  /** Unlike any other candidate's. */
  readonly identity: string;
  readonly times?: ElectionTimes;
  /** Called once, when this candidate leads. */
  readonly onStartedLeading: () => void;
  /** Called when it leads no longer; it does not stand again. */
  readonly onStoppedLeading: () => void;
}

/** Stands for election until stopped or, having led, until it has lost. */
export function runLeaderElection(options: LeaderElectionOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = run(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function run(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const { env, identity, times = LEASE_TIMES } = options;
  let election: Election = initialElection(identity, times);
  let event: ElectionEvent = { type: "woken" };
  for (;;) {
    if (signal.aborted) event = { type: "stopped" };
    const wasLeading = election.phase === "leading";
    const { state, effect } = step(election, event, { nowMs: env.clock.now(), monotonicMs: env.clock.monotonic() });
    election = state;
    if (!wasLeading && state.phase === "leading") options.onStartedLeading();
    if (wasLeading && state.phase !== "leading") options.onStoppedLeading();
    switch (effect.do) {
      case "read":
        event = await read(options);
        break;
      case "write":
        event = await write(options, effect.lease, effect.spec);
        break;
      case "wait":
        await env.clock.sleep(effect.delayMs * (1 + effect.jitter * env.random.next()), signal).catch(() => undefined);
        event = { type: "woken" };
        break;
      case "end":
        return;
      default:
        effect satisfies never;
    }
  }
}

async function read({ client, namespace, name }: LeaderElectionOptions): Promise<ElectionEvent> {
  try {
    return { type: "read", lease: await client.get(leaseKind, { namespace, name }) };
  } catch (error) {
    return isApiError(error, "NotFound") ? { type: "read", lease: undefined } : { type: "failed" };
  }
}

async function write(
  { client, namespace, name, env }: LeaderElectionOptions,
  previous: Lease | undefined,
  { acquireMs, renewMs, ...spec }: LeaseClaim,
): Promise<ElectionEvent> {
  const wire = { ...spec, acquireTime: microTimestamp(acquireMs), renewTime: microTimestamp(renewMs) };
  try {
    const lease =
      previous === undefined
        ? await client.create<Lease>(leaseKind, { metadata: { namespace, name }, spec: wire })
        : await client.update<Lease>(leaseKind, { ...previous, spec: { ...previous.spec, ...wire } });
    return { type: "written", lease };
  } catch (error) {
    env.log.debug("the lease could not be written", { lease: `${namespace}/${name}`, error });
    return { type: "failed" };
  }
}

type LeaseClaim = Extract<ReturnType<typeof step>["effect"], { do: "write" }>["spec"];
