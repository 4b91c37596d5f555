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
  const outcomes = await Promise.allSettled(scripts.map((script) => shell(script)));
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

test("what can wait lets all else go first, in groups of its own", async () => {
  const groups: string[] = [];
  const shell = groupedShell(async (script) => {
    groups.push([...script.matchAll(/echo (\w+)/g)].map(([, word]) => word).join(" "));
    return "";
  });
  const run = (word: string, canWait: boolean) => shell(`echo ${word}`, { canWait });
  await Promise.all(
    [run("down1", true), run("down2", true), run("up1", false), run("down3", true), run("up2", false)].map((one) =>
      one.catch(() => undefined),
    ),
  );
  expect(groups).toEqual(["down1", "up1 up2", "down2 down3"]);
});
