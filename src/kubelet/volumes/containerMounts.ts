import type { Container, Pod, VolumeMount } from "../../api/generated/core-v1.ts";
import { ContainerConfigError } from "../environment/environment.ts";
import { expand } from "../environment/expansion.ts";
import type { EnvVariable } from "../environment/serviceVariables.ts";
import type { Files } from "../files.ts";
import type { ContainerMount } from "../runtime.ts";
import type { MountedVolumes } from "./mountedVolumes.ts";

/** @throws ContainerConfigError for a variable that is not known, or a path that leads out. */
function subPathOf({ subPath = "", subPathExpr = "" }: VolumeMount, environment: readonly EnvVariable[]): string {
  const values = new Map(environment.map(({ name, value }) => [name, value]));
  const unknown: string[] = [];
  const path =
    subPathExpr === ""
      ? subPath
      : expand(subPathExpr, (name) => {
          if (!values.has(name)) unknown.push(name);
          return values.get(name);
        });
  if (unknown.length > 0) throw new ContainerConfigError(`missing value for "${unknown[0]}"`);
  if (path.startsWith("/")) throw new ContainerConfigError(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split("/").includes("..")) {
    throw new ContainerConfigError(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  }
  return path;
}

/**
 * Where a part of a volume really is. Links inside the volume are followed once, here, and may not lead out of it, so
 * that no container can mount what the node keeps from it. Source: pkg/volume/util/subpath.
 */
async function subPathTarget(files: Files, volumePath: string, subPath: string, fsGroup: number | undefined) {
  const wanted = `${volumePath}/${subPath}`;
  const root = (await files.resolve(volumePath)) ?? volumePath;
  let target = await files.resolve(wanted);
  if (target === undefined) {
    // Who may write into the volume may write into this part of it. Source: kubelet_pods.go makeMounts.
    const { mode = 0o755 } = (await files.stat(root)) ?? {};
    await files.makeDirectory(wanted, { mode: mode & 0o777 });
    if (fsGroup !== undefined) await files.setGroup(wanted, fsGroup);
    target = (await files.resolve(wanted)) ?? wanted;
  }
  if (target !== root && !target.startsWith(`${root}/`)) {
    throw new ContainerConfigError(`subPath "${subPath}" leads out of the volume`);
  }
  return target;
}

/** The container's volume mounts, outer ones first. @throws ContainerConfigError */
export async function containerMounts(
  files: Files,
  volumes: MountedVolumes,
  pod: Pod,
  container: Container,
  environment: readonly EnvVariable[],
): Promise<readonly ContainerMount[]> {
  const mounts: ContainerMount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (volume === undefined)
      throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const subPath = subPathOf(mount, environment);
    const { fsGroup } = pod.spec.securityContext ?? {};
    const hostPath = subPath === "" ? volume.hostPath : await subPathTarget(files, volume.hostPath, subPath, fsGroup);
    mounts.push({
      hostPath,
      containerPath: mount.mountPath,
      readOnly: mount.readOnly === true || volume.readOnly,
      ...(mount.mountPropagation !== undefined && {
        propagation: mount.mountPropagation as "None" | "HostToContainer" | "Bidirectional",
      }),
    });
  }
  return mounts.sort((a, b) => a.containerPath.split("/").length - b.containerPath.split("/").length);
}
