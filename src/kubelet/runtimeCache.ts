/**
 * What the runtime has, by pod, kept up to date by the kubelet's own calls and the runtime's events, so that a look at a
 * pod costs nothing. A relist (at the start, and now and then as a safety net) puts right what was missed.
 */
import { type RuntimePod, sortedContainers, sortedSandboxes } from "./podLifecycle/runtimePod.ts";
import type { ContainerStatus, PodIdentity, Runtime, SandboxStatus } from "./runtime.ts";

/** Tries to read everything while nothing changes. */
const RELIST_ATTEMPTS_MAX = 5;

interface Entry {
  pod: PodIdentity;
  readonly sandboxes: Map<string, SandboxStatus>;
  readonly containers: Map<string, ContainerStatus>;
  view: RuntimePod | undefined;
}

export class RuntimeCache {
  readonly #runtime: Runtime;
  readonly #pods = new Map<string, Entry>();
  /** Sandbox id → pod uid. */
  readonly #podOfSandbox = new Map<string, string>();
  /** Counts changes. */
  #version = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  pod(uid: string): RuntimePod | undefined {
    const entry = this.#pods.get(uid);
    if (entry === undefined) return undefined;
    entry.view ??= {
      pod: entry.pod,
      sandboxes: sortedSandboxes(entry.sandboxes.values()),
      containers: sortedContainers(entry.containers.values()),
    };
    return entry.view;
  }

  pods(): readonly RuntimePod[] {
    return [...this.#pods.keys()].flatMap((uid) => this.pod(uid) ?? []);
  }

  podUidOf(sandboxId: string): string | undefined {
    return this.#podOfSandbox.get(sandboxId);
  }

  setSandbox(status: SandboxStatus): void {
    this.#version += 1;
    const entry = this.#entry(status.pod);
    entry.sandboxes.set(status.id, status);
    entry.view = undefined;
    this.#podOfSandbox.set(status.id, status.pod.uid);
  }

  setContainer(status: ContainerStatus): void {
    this.#version += 1;
    const entry = this.#pods.get(this.#podOfSandbox.get(status.sandboxId) ?? "");
    if (entry === undefined) return;
    // An answer that was overtaken: what has ended does not run again.
    if (entry.containers.get(status.id)?.state === "Exited" && status.state !== "Exited") return;
    entry.containers.set(status.id, status);
    entry.view = undefined;
  }

  /** Reads one container anew. @returns the uid of its pod. */
  async refresh(containerId: string, sandboxId: string): Promise<string | undefined> {
    const status = await this.#runtime.containerStatus(containerId);
    if (status === undefined) this.forgetContainer(containerId, sandboxId);
    else this.setContainer(status);
    return this.#podOfSandbox.get(sandboxId);
  }

  sandboxStopped(id: string): void {
    this.#version += 1;
    const entry = this.#pods.get(this.#podOfSandbox.get(id) ?? "");
    const status = entry?.sandboxes.get(id);
    if (entry === undefined || status === undefined) return;
    entry.sandboxes.set(id, { ...status, state: "NotReady" });
    entry.view = undefined;
  }

  forgetContainer(id: string, sandboxId: string): void {
    this.#version += 1;
    const entry = this.#pods.get(this.#podOfSandbox.get(sandboxId) ?? "");
    if (entry?.containers.delete(id) === true) entry.view = undefined;
  }

  forgetSandbox(id: string): void {
    this.#version += 1;
    const uid = this.#podOfSandbox.get(id) ?? "";
    const entry = this.#pods.get(uid);
    this.#podOfSandbox.delete(id);
    if (entry === undefined) return;
    entry.sandboxes.delete(id);
    entry.view = undefined;
    if (entry.sandboxes.size === 0) this.#pods.delete(uid);
  }

  /**
   * Reads everything anew, unless what is read keeps changing meanwhile, which would take the cache back in time.
   * @returns the uids of the pods for which something had been missed.
   */
  async relist(): Promise<readonly string[]> {
    for (let attempt = 0; attempt < RELIST_ATTEMPTS_MAX; attempt += 1) {
      const version = this.#version;
      const [sandboxes, containers] = await Promise.all([
        this.#runtime.listSandboxes(),
        this.#runtime.listContainers(),
      ]);
      if (version === this.#version) return this.#replace(sandboxes, containers);
    }
    return [];
  }

  #replace(sandboxes: readonly SandboxStatus[], containers: readonly ContainerStatus[]): readonly string[] {
    const before = new Map(this.pods().map((pod) => [pod.pod.uid, fingerprint(pod)]));
    this.#pods.clear();
    this.#podOfSandbox.clear();
    for (const sandbox of sandboxes) this.setSandbox(sandbox);
    for (const container of containers) this.setContainer(container);
    const changed = this.pods().filter((pod) => before.get(pod.pod.uid) !== fingerprint(pod));
    const gone = [...before.keys()].filter((uid) => !this.#pods.has(uid));
    return [...changed.map(({ pod }) => pod.uid), ...gone];
  }

  #entry(pod: PodIdentity): Entry {
    let entry = this.#pods.get(pod.uid);
    if (entry === undefined) {
      entry = { pod, sandboxes: new Map(), containers: new Map(), view: undefined };
      this.#pods.set(pod.uid, entry);
    }
    return entry;
  }
}

const fingerprint = ({ sandboxes, containers }: RuntimePod): string =>
  [...sandboxes, ...containers].map(({ id, state }) => `${id}:${state}`).join(" ");
