/** Images of a cluster: brought in from archives, or made from this machine's programs. */
import { existsSync } from "node:fs";
import { loadArchive as loadIntoStore } from "../kubelet/images/archive.ts";
import { parseReference } from "../kubelet/images/reference.ts";
import { ImageStore } from "../kubelet/images/store.ts";
import { type ClusterConfig, readClusterConfig } from "./clusterConfig.ts";
import { clusterPaths } from "./paths.ts";
import { realRandom } from "./realEnv.ts";
import { typedCommand } from "./typedCommand.ts";
import { UserError } from "./userError.ts";

/** All nodes of a cluster share one store. @throws UserError when there is no such cluster */
export function imageStoreOf(name: string): ImageStore {
  const paths = clusterPaths(name);
  existingConfig(name);
  return new ImageStore({ directory: paths.images, random: realRandom });
}

/** @throws UserError when there is no such cluster */
export function existingConfig(name: string): ClusterConfig {
  const config = readClusterConfig(clusterPaths(name));
  if (config === undefined)
    throw new UserError(`there is no cluster "${name}"; make it with: ${typedCommand("up", name)}`);
  return config;
}

/** @throws UserError */
export function checkImageName(name: string): void {
  try {
    parseReference(name);
  } catch (cause) {
    throw new UserError((cause as Error).message, { cause });
  }
}

/** @returns the names that the archive's images now have. */
export async function loadArchive(name: string, file: string): Promise<readonly string[]> {
  const store = imageStoreOf(name);
  if (!existsSync(file)) throw new UserError(`there is no file ${file}`);
  try {
    return (await loadIntoStore(store, file)).flatMap((image) => image.names);
  } catch (cause) {
    throw new UserError(`${file} could not be loaded: ${(cause as Error).message}`, { cause });
  }
}
