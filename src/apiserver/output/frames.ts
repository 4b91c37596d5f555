import { ApiError } from "../../machinery/errors.ts";
import type { WatchFrame } from "../../machinery/requests.ts";
import { jsonLength, writeJson } from "../store/objectJson.ts";

/** One line of a watch; its bytes are made when the first watcher needs them, and once. */
export function makeFrame(type: WatchFrame["type"], object: object): WatchFrame {
  let made: Uint8Array | undefined;
  const bytes = () => {
    made ??= frameBytes(type, object);
    return made;
  };
  return { type, object, bytes };
}

function frameBytes(type: string, object: object): Uint8Array {
  const head = `{"type":"${type}","object":`;
  const bytes = Buffer.allocUnsafe(head.length + jsonLength(object) + 1);
  bytes.write(head, 0, "latin1");
  bytes[writeJson(object, bytes, head.length)] = CLOSING_BRACE;
  return bytes;
}

const CLOSING_BRACE = 0x7d;

export const isExpired = (error: unknown): error is ApiError => error instanceof ApiError && error.code === 410;
