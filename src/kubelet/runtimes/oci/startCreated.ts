import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type OciContext, runtimeRoot } from "./context.ts";
import { runOci } from "./runOci.ts";

/** A created container comes to wait at its pipe a moment after its creation was reported. */
const READER_WAIT_MS_MAX = 20;

/**
 * Lets a created container run. `crun start` does no more than write one byte into the pipe that the container waits at
 * (crun src/libcrun/status.c, libcrun_status_write_exec_fifo), so that is done here, which spares a process per start.
 */
export async function startCreated(context: OciContext, id: string): Promise<void> {
  if (basename(context.ociRuntime) === "crun" && (await releaseCrun(context, id))) return;
  await runOci(context, ["start", id]);
}

/** @returns false when the pipe is not as expected, which another version of crun may have. */
async function releaseCrun(context: OciContext, id: string): Promise<boolean> {
  const path = join(runtimeRoot(context), id, "exec.fifo");
  for (let waitedMs = 0; waitedMs <= READER_WAIT_MS_MAX; waitedMs++) {
    try {
      const pipe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        await rm(path);
        await pipe.write(Buffer.alloc(1));
      } finally {
        await pipe.close();
      }
      return true;
    } catch (error) {
      // Nobody reads yet.
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") return false;
    }
    await context.env.clock.sleep(1);
  }
  return false;
}
