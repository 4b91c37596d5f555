import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { StoredImage } from "../../images/store.ts";
import { mount, unmount } from "../../nodeEnvironment/systemCalls.ts";
import { bundleOf, layersLink, type OciContext, scratchOf } from "./context.ts";

/** What one mount call takes: a page. */
const MOUNT_DATA_BYTES_MAX = 4095;

/** Mounts the image with a writable layer on top. @returns the root's path. */
export function mountRootFilesystem(context: OciContext, id: string, image: StoredImage): string {
  const root = join(bundleOf(context, id), "rootfs");
  const scratch = scratchOf(context, id);
  const [upper, work] = [join(scratch, "upper"), join(scratch, "work")];
  for (const directory of [root, upper, work]) mkdirSync(directory, { recursive: true, mode: 0o755 });
  const lower = context.store.layerNames(image).map((name) => `${layersLink(context)}/${name}`);
  // What a container writes need not survive a power cut, so nobody waits for the disk when it is unmounted.
  const data = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work},volatile`;
  if (data.length > MOUNT_DATA_BYTES_MAX) throw new Error(`the image has too many layers (${lower.length})`);
  mount({ source: "overlay", target: root, type: "overlay", data });
  return root;
}

export async function removeRootFilesystem(context: OciContext, id: string): Promise<void> {
  unmount(join(bundleOf(context, id), "rootfs"));
  await rm(scratchOf(context, id), { recursive: true, force: true });
}

/** A text file of the image; "" when it has none, or when a link leads out of the image. */
export function readInRoot(root: string, path: string): string {
  try {
    const real = realpathSync(join(root, path));
    return real.startsWith(`${root}/`) ? readFileSync(real, "utf8") : "";
  } catch {
    return "";
  }
}
