/**
 * What every runtime must do, as a table of cases. Cases `for: "every"` run against each; those `for: "programs"` need
 * one that runs real programs, from an image with a shell and the usual small tools of busybox.
 */

import { lifecycleCases } from "./testing/lifecycleCases.ts";
import { processCases } from "./testing/processCases.ts";
import type { RuntimeCase } from "./testing/runtimeCase.ts";
import { streamCases } from "./testing/streamCases.ts";

export const runtimeSuite: readonly RuntimeCase[] = [...lifecycleCases, ...processCases, ...streamCases];
