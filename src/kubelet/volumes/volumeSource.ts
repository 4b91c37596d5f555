/**
 * A kind of volume. One file each, listed in index.ts. `setUp` is called before the pod's containers start, and again
 * whenever something that the pod refers to has changed; it must be safe to repeat.
 */
import type { Pod, Volume } from "../../api/generated/core-v1.ts";
import type { Client } from "../../client/client.ts";
import type { Env } from "../../lib/env.ts";
import type { PodFacts } from "../environment/fieldValues.ts";
import type { Files } from "../files.ts";
import type { References } from "../references.ts";
import type { MountedVolume } from "./mountedVolumes.ts";

export interface VolumeContext {
  readonly env: Env;
  readonly client: Client;
  readonly files: Files;
  readonly references: References;
  readonly pod: Pod;
  /** Own folder of this volume, not yet made: …/volumes/kubernetes.io~empty-dir/cache */
  readonly directory: string;
  readonly facts: PodFacts;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly nodeMemoryBytes: number;
  /** Asks that `setUp` be called again, not later than that. */
  readonly renewAt: (atMs: number) => void;
}

export interface VolumeSource {
  /** As in folder names: "kubernetes.io~configmap". */
  readonly pluginName: string;
  /** Its folder is made on the node's tmpfs: secrets must not reach the disk, and other small things are faster there. */
  readonly inMemory?: boolean;
  /** Whether a volume is of this kind. */
  readonly matches: (volume: Volume) => boolean;
  /** @throws Error saying why it cannot be, which becomes a FailedMount event. */
  readonly setUp: (context: VolumeContext, volume: Volume) => Promise<MountedVolume>;
  /** Before the folder is removed; for mounts. */
  readonly tearDown?: (context: Pick<VolumeContext, "files" | "directory">) => Promise<void>;
}
