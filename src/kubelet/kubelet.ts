/**
 * The node agent. It watches the pods of its node, has the runtime run them, and says what has become of them.
 *
 * - `podLifecycle/` decides, without any side effect: what to do, and what the status is.
 * - `podWorker.ts` acts, one worker for each pod; whatever happens only wakes it.
 * - `volumes/`, `probes/`, `environment/` and `server/` are what pods need; `runtimes/` are ways to run containers.
 *
 * Invariants: a pod that has begun to end never runs again; it is deleted from the API only when nothing of it runs and
 * its last status has been written; containers outlive the kubelet, and a new one takes them over.
 * Absent: eviction under pressure, device plugins, in-place resize, persistent volumes.
 */
import type { Pod, Service } from "../api/generated/core-v1.ts";
import { pod as podKind, service as serviceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { Informer } from "../client/informer.ts";
import { createRecorder } from "../client/recorder.ts";
import type { Env } from "../lib/env.ts";
import { createTurns } from "../lib/turns.ts";
import { type Directories, type KubeletContext, memoryDirectory } from "./context.ts";
import { type Dial, wordedDial } from "./dial.ts";
import { checkEmptyDirLimits, EMPTY_DIR_CHECK_MS } from "./emptyDirLimits.ts";
import type { ClusterNames, ResolvConf } from "./environment/podDns.ts";
import type { Files } from "./files.ts";
import { createImagePuller } from "./imagePuller.ts";
import { LOG_CHECK_MS, rotateLogs } from "./logRotation.ts";
import { createNodeKeeper } from "./node.ts";
import { type NodeFacts, nodeAllocatable } from "./nodeStatus.ts";
import { nodeForAdmission } from "./podAdmission.ts";
import { createPodWorkers } from "./podWorkers.ts";
import { createReferences } from "./references.ts";
import type { Runtime } from "./runtime.ts";
import { RuntimeCache } from "./runtimeCache.ts";
import { createKubeletServer } from "./server/kubeletServer.ts";
import { createPodAccess } from "./server/podAccess.ts";
import { createStats, type NodeUsage } from "./server/stats.ts";
import { createStaticPods, isMirrorPod } from "./staticPods.ts";
import { createStatusWriter } from "./statusWriter.ts";

export interface KubeletOptions {
  readonly env: Env;
  /** As system:node:<name>. */
  readonly client: Client;
  readonly runtime: Runtime;
  readonly files: Files;
  readonly nodeName: string;
  readonly node: NodeFacts;
  readonly directories: Directories;
  readonly cluster: ClusterNames;
  /** The node's own resolv.conf, for pods with dnsPolicy Default and as what the cluster's searches precede. */
  readonly resolvConf?: ResolvConf;
  /** The node's own hosts file, for pods on its network. */
  readonly hostsFile?: string;
  /** Connects from the node: for probes and hooks that go to other addresses than the pod's. */
  readonly dial: Dial;
  /** Of all services, where somebody else in the process keeps one already; it is not stopped here. */
  readonly services?: Informer<Service>;
  /** Shown as kubeletVersion. */
  readonly version: string;
  /** Run here whatever the API says; shown in it as mirror pods. */
  readonly staticPods?: readonly Pod[];
  /** Whether a static pod restarts when its mirror is deleted; upstream's do not. Default: false. */
  readonly restartsDeletedStaticPods?: boolean;
  /** Most processes of one pod; absent: no limit. */
  readonly podPidsMax?: number;
  /** What the whole node uses; without it the sum of its containers is told. */
  readonly nodeUsage?: () => Promise<NodeUsage>;
  /** Why pods cannot run here (the network is not up, …); undefined: they can. Asked at every report. */
  readonly unreadyBecause?: () => string | undefined;
}

/** How often all is read anew, in case an event was missed. Source: kubelet.go genericPlegRelistPeriod for evented PLEG. */
const RELIST_MS = 300_000;

/** Pods whose sandbox and volumes are made at the same time: enough to keep a few cores busy. Ours. */
const BEGINNINGS_AT_ONCE_MAX = 4;

const LOOPBACK: ResolvConf = { servers: [], searches: [], options: [] };

export function createKubelet(options: KubeletOptions) {
  const { env, client, runtime, files, nodeName } = options;
  const stopping = new AbortController();
  const recorder = createRecorder({ env, client, component: "kubelet", host: nodeName });
  const cache = new RuntimeCache(runtime);
  const pods = new Informer<Pod>({ env, client, kind: podKind, fieldSelector: `spec.nodeName=${nodeName}` });
  const services = options.services ?? new Informer<Service>({ env, client, kind: serviceKind });
  const statuses = createStatusWriter({ env, client });
  const allocatable = nodeAllocatable(options.node);
  const hostIps = options.node.addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address);

  const context: KubeletContext = {
    env,
    client,
    recorder,
    runtime,
    cache,
    files,
    images: createImagePuller({ env, runtime, recorder }),
    references: createReferences({ env, client, onChange: (uid) => workers.get(uid)?.referencesChanged() }),
    nodeName,
    directories: options.directories,
    cluster: options.cluster,
    nodeResolvConf: options.resolvConf ?? LOOPBACK,
    nodeHosts: options.hostsFile ?? "127.0.0.1\tlocalhost\n",
    nodeMemoryBytes: options.node.memoryBytes,
    podPidsMax: options.podPidsMax,
    dial: wordedDial(options.dial),
    beginTurns: createTurns(BEGINNINGS_AT_ONCE_MAX),
    hostIps: () => hostIps,
    allocatable: () => allocatable,
    services: () => services.list(),
  };

  const keeper = createNodeKeeper({
    env,
    client,
    recorder,
    runtime,
    nodeName,
    facts: options.node,
    kubeletVersion: options.version,
    unreadyBecause: options.unreadyBecause ?? (() => undefined),
    signal: stopping.signal,
  });
  const workers = createPodWorkers({
    context,
    statuses,
    node: () => ({ ...nodeForAdmission(keeper.node()), allocatable }),
    onFinished: (uid) => staticPods.finished(uid),
  });
  const staticPods = createStaticPods({
    env,
    client,
    nodeName,
    workers,
    pods: options.staticPods ?? [],
    restartsDeleted: options.restartsDeletedStaticPods ?? false,
    node: () => keeper.node(),
  });

  const watchPods = (): void => {
    const set = (pod: Pod) => (isMirrorPod(pod) ? staticPods.mirrorSeen(pod) : workers.set(pod));
    pods.addHandler({
      onAdd: set,
      onUpdate(previous, next) {
        if (previous.metadata.uid !== next.metadata.uid) gone(previous);
        set(next);
      },
      onDelete: (pod) => gone(pod),
    });
    const gone = (pod: Pod) => (isMirrorPod(pod) ? staticPods.mirrorGone(pod) : workers.gone(pod.metadata.uid));
  };

  const relist = async (): Promise<void> => {
    for (const uid of await cache.relist()) workers.get(uid)?.wake();
    await workers.removeOrphans();
  };

  const repeat = async (everyMs: () => number, failed: string, run: () => Promise<void>): Promise<void> => {
    while (!stopping.signal.aborted) {
      await env.clock.sleep(everyMs(), stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await run().catch((error: unknown) => env.log.warn(failed, { error }));
    }
  };
  let logCheckMs = LOG_CHECK_MS;

  const access = createPodAccess(context, workers);
  const stats = createStats({
    clock: env.clock,
    runtime,
    workers,
    nodeName,
    memoryBytes: options.node.memoryBytes,
    ...(options.nodeUsage !== undefined && { nodeUsage: options.nodeUsage }),
  });
  /** Pods as this kubelet knows them, static ones too. */
  const ownPods = (): readonly Pod[] =>
    workers.list().map(({ state }) => ({ ...state.pod, status: state.status ?? state.pod.status }));

  const prepareMemory = async (): Promise<void> => {
    const directory = memoryDirectory(options.directories);
    await files.makeDirectory(directory, { mode: 0o711 });
    await files.mountTmpfs(directory, undefined).catch((error: unknown) => {
      env.log.warn("no tmpfs for secrets; they are kept on the disk", { directory, error });
    });
  };

  let unsubscribe = () => {};

  return {
    nodeName,
    /** Resolves when the node is registered and ready, and its pods are being looked after. */
    async start(): Promise<void> {
      await Promise.all([cache.relist(), prepareMemory()]);
      unsubscribe = runtime.subscribe((event) => {
        workers
          .handle(event)
          .catch((error: unknown) => env.log.warn("a container could not be read", { event, error }));
      });
      services.start();
      pods.start();
      await Promise.all([keeper.register(), pods.synced(), services.synced()]);
      staticPods.start();
      watchPods();
      await workers.removeOrphans();
      void repeat(() => RELIST_MS, "the runtime could not be read", relist);
      void repeat(
        () => EMPTY_DIR_CHECK_MS,
        "volumes could not be measured",
        () => checkEmptyDirLimits(context, workers),
      );
      void repeat(
        () => logCheckMs,
        "logs could not be rotated",
        async () => {
          logCheckMs = await rotateLogs(context, logCheckMs);
        },
      );
    },
    /** Containers run on. */
    async stop(): Promise<void> {
      stopping.abort();
      unsubscribe();
      workers.stop();
      statuses.stop();
      recorder.stop();
      const ownServices = options.services === undefined ? services.stop() : undefined;
      await Promise.all([pods.stop(), ownServices, context.references.stop()]);
    },
    pods: ownPods,
    /** Logs, exec, attach and port-forward. */
    ...access,
    stats,
    /** Its HTTP API; give it the requests and upgrades of a server that has checked who asks. */
    server: createKubeletServer({ access, stats, pods: ownPods, log: env.log, clock: env.clock }),
    /** As last seen by itself. */
    node: () => keeper.node(),
    context,
    workers,
  };
}

export type Kubelet = ReturnType<typeof createKubelet>;
