import { join } from "node:path";
import type { Env } from "../../../lib/env.ts";
import type { ImageStore } from "../../images/store.ts";
import type { Cgroups } from "../../nodeEnvironment/cgroups.ts";
import type { NodeEnvironment } from "../../nodeEnvironment/nodeEnvironment.ts";
import type { PodNetwork } from "../../podNetwork.ts";

/** What every part of the runtime stands on. */
export interface OciContext {
  readonly env: Env;
  readonly environment: NodeEnvironment;
  readonly cgroups: Cgroups;
  readonly store: ImageStore;
  readonly network: PodNetwork;
  /** Programs, by full path. */
  readonly conmon: string;
  readonly ociRuntime: string;
  /** Capabilities that this process can hand on. */
  readonly capabilities: ReadonlySet<string>;
  /** Adjustments of the OOM score below this one are not ours to make. */
  readonly oomScoreAdjMin: number;
}

/** Where the OCI runtime keeps its own state. */
export const runtimeRoot = ({ environment }: OciContext): string => join(environment.runDirectory, "oci");
/** Where conmon leaves exit codes, by container id. */
export const exitDirectory = ({ environment }: OciContext): string => join(environment.runDirectory, "exits");
export const containersDirectory = ({ environment }: OciContext): string =>
  join(environment.runDirectory, "containers");
export const sandboxesDirectory = ({ environment }: OciContext): string => join(environment.runDirectory, "sandboxes");
/** A short way to the layers, because all of an image's must fit into one mount call. */
export const layersLink = ({ environment }: OciContext): string => join(environment.runDirectory, "l");
/** The bundle, which is conmon's directory as well. */
export const bundleOf = (context: OciContext, id: string): string => join(containersDirectory(context), id);
/** Writable layer: on a disk, unlike the run directory. */
export const scratchOf = ({ environment }: OciContext, id: string): string =>
  join(environment.dataDirectory, "containers", id);
/** conmon's terminal sockets; a socket's path is short, so they are not in the bundle. */
export const socketsDirectory = ({ environment }: OciContext): string => join(environment.runDirectory, "t");
