import { describe, expect, test } from "vitest";
import { finalStatus, outcomeStatus, parseResize, type RemoteCommandOutcome } from "./channels.ts";
import { streamOptions } from "./remoteCommand.ts";

describe("the final status", () => {
  const cases: { name: string; outcome: RemoteCommandOutcome; want: object }[] = [
    { name: "of a command that succeeded", outcome: { exitCode: 0 }, want: { metadata: {}, status: "Success" } },
    {
      name: "of one that failed has its exit code where kubectl looks for it",
      outcome: { exitCode: 3 },
      want: {
        status: "Failure",
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: "3" }] },
      },
    },
    {
      name: "of one that could not start has the runtime's words",
      outcome: { error: "no such file" },
      want: { status: "Failure", reason: "InternalError", message: "Internal error occurred: no such file", code: 500 },
    },
  ];
  for (const { name, outcome, want } of cases) test(name, () => expect(outcomeStatus(outcome)).toMatchObject(want));
});

describe("the end, before v4", () => {
  const cases: [string, RemoteCommandOutcome, string][] = [
    ["of a command that succeeded says nothing", { exitCode: 0 }, ""],
    ["of one that failed is its message", { exitCode: 3 }, "command terminated with non-zero exit code: exit status 3"],
    ["of one that could not start too", { error: "no such file" }, "Internal error occurred: no such file"],
  ];
  for (const [name, outcome, want] of cases) test(name, () => expect(finalStatus(outcome, 3)).toBe(want));
});

describe("a terminal's size", () => {
  const cases: [string, string, object | undefined][] = [
    ["is read", '{"Width":80,"Height":24}', { columns: 80, rows: 24 }],
    ["that is no size is ignored", '{"Width":"wide"}', undefined],
    ["that is no JSON is ignored", "\u0000", undefined],
  ];
  for (const [name, text, want] of cases) test(name, () => expect(parseResize(Buffer.from(text))).toEqual(want));
});

describe("the streams asked for", () => {
  const none = { stdin: false, stdout: false, stderr: false, tty: false };
  const cases: [string, string, object][] = [
    ["in the API's words", "stdin=true&stdout=true&tty=true", { ...none, stdin: true, stdout: true, tty: true }],
    ["in the kubelet's words", "input=1&output=1&error=1", { ...none, stdin: true, stdout: true, stderr: true }],
    ["none", "stdin=false", none],
  ];
  for (const [name, query, want] of cases)
    test(name, () => expect(streamOptions(new URLSearchParams(query))).toEqual(want));
});
