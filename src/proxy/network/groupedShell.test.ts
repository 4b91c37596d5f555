import { expect, test } from "vitest";
import { runCommand } from "../backends/command.ts";
import { groupedShell } from "./groupedShell.ts";

test("scripts that come while one runs share the next process, and each has its own outcome", async () => {
  let processes = 0;
  const shell = groupedShell((script) => {
    processes += 1;
    return runCommand(["sh"], script);
  });
  const scripts = ["true", "true", "false\ntrue", "cat <<'END'\ntext\nEND", "echo why >&2; exit 7", "true"];
  const outcomes = await Promise.allSettled(scripts.map(shell));
  expect(processes).toBe(2);
  expect(outcomes.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect(outcomes[4]).toMatchObject({ reason: { message: expect.stringMatching(/ended with 7: why$/) } });
  await shell("true");
  expect(processes).toBe(3);
});

test("when the process cannot be run all of its scripts fail", async () => {
  const shell = groupedShell(() => Promise.reject(new Error("no process")));
  await expect(shell("true")).rejects.toThrow("no process");
  await expect(shell("true")).rejects.toThrow("no process");
});
