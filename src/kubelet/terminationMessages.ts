/** What a container left as its last words. Source: kuberuntime_container.go getTerminationMessage. */

import type { Files } from "./files.ts";
import {
  TERMINATION_MESSAGE_HOST_PATH_ANNOTATION,
  TERMINATION_MESSAGE_POLICY_ANNOTATION,
} from "./podLifecycle/runtimePod.ts";
import type { ContainerStatus } from "./runtime.ts";
import { parseLogLine } from "./server/logLines.ts";

/** Source: kubelet container/helpers.go MaxContainerTerminationMessageLength and …LogLength, …LogLines. */
const MESSAGE_MAX_BYTES = 4096;
const LOG_MAX_BYTES = 2048;
const LOG_LINES_MAX = 80;
/** Enough of the log's end to hold that much text, with its prefixes. */
const TAIL_BYTES = 16 * 1024;

async function lastLogLines(files: Files, path: string): Promise<string> {
  const stat = await files.stat(path);
  if (stat === undefined) return "";
  const from = Math.max(0, stat.sizeBytes - TAIL_BYTES);
  const bytes = await files.readAt(path, from, TAIL_BYTES);
  const lines = Buffer.from(bytes ?? [])
    .toString("utf8")
    .split("\n");
  const whole = from > 0 ? lines.slice(1) : lines;
  const text = whole
    .filter((line) => line !== "")
    .slice(-LOG_LINES_MAX)
    .map((line) => {
      const parsed = parseLogLine(Buffer.from(line));
      return parsed === undefined ? "" : `${parsed.content.toString("utf8")}${parsed.isPartial ? "" : "\n"}`;
    })
    .join("");
  return Buffer.from(text).subarray(-LOG_MAX_BYTES).toString("utf8");
}

export async function terminationMessage(files: Files, status: ContainerStatus): Promise<string> {
  const path = status.annotations[TERMINATION_MESSAGE_HOST_PATH_ANNOTATION] ?? "";
  const bytes = path === "" ? undefined : await files.readAt(path, 0, MESSAGE_MAX_BYTES);
  if (bytes !== undefined && bytes.length > 0) return Buffer.from(bytes).toString("utf8");
  const fallsBack = status.annotations[TERMINATION_MESSAGE_POLICY_ANNOTATION] === "FallbackToLogsOnError";
  return fallsBack && status.exitCode !== 0 ? lastLogLines(files, status.logPath) : "";
}
