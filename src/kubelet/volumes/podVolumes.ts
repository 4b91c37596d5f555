/** Sets up and tears down the volumes of pods. */
import type { Pod, Volume } from "../../api/generated/core-v1.ts";
import { volumeSources } from "./index.ts";
import type { MountedVolume, MountedVolumes } from "./mountedVolumes.ts";
import type { VolumeContext } from "./volumeSource.ts";

/** One volume could not be set up. */
export class VolumeError extends Error {
  readonly volumeName: string;
  constructor(volumeName: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "VolumeError";
    this.volumeName = volumeName;
  }
}

/** Some volumes of a pod could not be set up. */
export class VolumesError extends Error {
  readonly errors: readonly VolumeError[];
  constructor(errors: readonly VolumeError[]) {
    super(errors.map(({ volumeName, message }) => `volume "${volumeName}": ${message}`).join("; "));
    this.name = "VolumesError";
    this.errors = errors;
  }
}

/** A pod's own folder, and one for it on the node's tmpfs. */
export interface PodFolders {
  readonly disk: string;
  readonly memory: string;
}

/** Folder of all volumes of a pod. */
const volumesFolder = (podFolder: string): string => `${podFolder}/volumes`;

type PodVolumeContext = Omit<VolumeContext, "directory">;

async function setUp(context: PodVolumeContext, folders: PodFolders, volume: Volume): Promise<MountedVolume> {
  const source = volumeSources.find(({ matches }) => matches(volume));
  if (source === undefined) throw new VolumeError(volume.name, new Error("no volume plugin matched"));
  const podFolder = source.inMemory === true ? folders.memory : folders.disk;
  const directory = `${volumesFolder(podFolder)}/${source.pluginName}/${volume.name}`;
  try {
    return await source.setUp({ ...context, directory }, volume);
  } catch (error) {
    throw new VolumeError(volume.name, error);
  }
}

/** All at the same time; what is set up stays as it is, what changed is brought up to date. @throws VolumesError */
export async function setUpVolumes(context: PodVolumeContext, folders: PodFolders, pod: Pod): Promise<MountedVolumes> {
  const errors: VolumeError[] = [];
  const mounted = new Map<string, MountedVolume>();
  const setUpOne = async (volume: Volume) => {
    try {
      mounted.set(volume.name, await setUp(context, folders, volume));
    } catch (error) {
      errors.push(error as VolumeError);
    }
  };
  await Promise.all((pod.spec.volumes ?? []).map(setUpOne));
  if (errors.length > 0) throw new VolumesError(errors);
  return mounted;
}

/** Goes by the folders that are there, so that it works without the pod. */
export async function tearDownVolumes(files: VolumeContext["files"], { disk, memory }: PodFolders): Promise<void> {
  await tearDownFolder(files, disk);
  await tearDownFolder(files, memory);
}

async function tearDownFolder(files: VolumeContext["files"], podFolder: string): Promise<void> {
  const root = volumesFolder(podFolder);
  for (const pluginName of await files.list(root)) {
    const source = volumeSources.find((candidate) => candidate.pluginName === pluginName);
    for (const name of await files.list(`${root}/${pluginName}`)) {
      await source?.tearDown?.({ files, directory: `${root}/${pluginName}/${name}` });
    }
  }
  await files.remove(root);
}
