import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { seededRandom } from "../../../lib/random.ts";
import { ImageStore } from "../store.ts";

/** A directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "skiff-images-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const temporaryStore = (): ImageStore =>
  new ImageStore({ directory: join(temporaryDirectory(), "images"), random: seededRandom("images") });
