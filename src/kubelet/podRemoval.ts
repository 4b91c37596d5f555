/** Takes away what a pod leaves behind. */
import { type KubeletContext, podFolders, podLogDirectory } from "./context.ts";
import type { RuntimePod } from "./podLifecycle/runtimePod.ts";
import { tearDownVolumes } from "./volumes/podVolumes.ts";
import { forgetServiceAccountTokens } from "./volumes/serviceAccountToken.ts";

/** Ended attempts of a container that are kept, for `logs --previous`. Source: kubelet MaxPerPodContainerCount. */
const DEAD_CONTAINERS_KEPT = 1;

/** Stops every sandbox that is not stopped, which frees its network. */
export async function stopSandboxes({ runtime, cache }: KubeletContext, { sandboxes }: RuntimePod): Promise<void> {
  await Promise.all(
    sandboxes
      .filter(({ state }) => state === "Ready")
      .map(async ({ id }) => {
        await runtime.stopSandbox(id);
        cache.sandboxStopped(id);
      }),
  );
}

async function removeContainer(context: KubeletContext, container: RuntimePod["containers"][number]): Promise<void> {
  const { runtime, cache, files, env } = context;
  try {
    await runtime.removeContainer(container.id);
    cache.forgetContainer(container.id, container.sandboxId);
    await files.remove(container.logPath);
    const slash = container.logPath.lastIndexOf("/");
    const [folder, name] = [container.logPath.slice(0, slash), container.logPath.slice(slash + 1)];
    const rotated = (await files.list(folder)).filter((file) => file.startsWith(`${name}.`));
    await Promise.all(rotated.map((file) => files.remove(`${folder}/${file}`)));
  } catch (error) {
    env.log.warn("an ended container could not be removed", { container: container.id, error });
  }
}

/** Keeps of each container the newest attempt and one ended one, and of sandboxes the newest and those still in use. */
export async function pruneContainers(context: KubeletContext, { containers, sandboxes }: RuntimePod): Promise<void> {
  const seen = new Map<string, number>();
  const old = containers.filter(({ name, state }) => {
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count > DEAD_CONTAINERS_KEPT && state === "Exited";
  });
  await Promise.all(old.map((container) => removeContainer(context, container)));
  const kept = containers.filter((container) => !old.includes(container));
  const unused = sandboxes.slice(1).filter(({ id }) => !kept.some(({ sandboxId }) => sandboxId === id));
  for (const { id, state } of unused) {
    if (state === "Ready") continue;
    await context.runtime.removeSandbox(id);
    context.cache.forgetSandbox(id);
  }
}

/** Everything: containers, sandboxes, volumes, folders, logs. Safe to repeat. */
export async function removePod(context: KubeletContext, runtimePod: RuntimePod): Promise<void> {
  const { runtime, cache, files, images, references, client } = context;
  const { uid } = runtimePod.pod;
  for (const { id, sandboxId } of runtimePod.containers) {
    await runtime.removeContainer(id);
    cache.forgetContainer(id, sandboxId);
  }
  for (const { id } of runtimePod.sandboxes) {
    await runtime.removeSandbox(id);
    cache.forgetSandbox(id);
  }
  const folders = podFolders(context, uid);
  await tearDownVolumes(files, folders);
  await files.remove(folders.disk);
  await files.remove(folders.memory);
  await files.remove(podLogDirectory(context, runtimePod.pod));
  images.forgetPod(uid);
  references.release(uid);
  forgetServiceAccountTokens(client, uid);
}
