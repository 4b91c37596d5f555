/**
 * Calls into the C library, for the few of Linux that Node.js does not offer. Loaded on first use, so that machines
 * without containers never need the native library.
 *
 * It is koffi's platform package alone. What the package `koffi` adds is an install script, which runs the first `node` on
 * the PATH, and so fails on machines on which the one being installed cannot start yet.
 */
import { createRequire } from "node:module";

export interface ForeignFunction {
  (...args: unknown[]): number;
  readonly async: (...args: unknown[]) => void;
}

export interface ForeignLibrary {
  func(prototype: string): ForeignFunction;
  func(name: string, result: string, parameters: readonly string[]): ForeignFunction;
}

export interface ForeignCalls {
  /** Null is this process, with its C library. */
  load(path: null): ForeignLibrary;
  /** Of the last call on this thread. */
  errno(): number;
}

export const foreignCalls = (): ForeignCalls =>
  createRequire(import.meta.url)(`@koromix/koffi-linux-${process.arch}`) as ForeignCalls;
