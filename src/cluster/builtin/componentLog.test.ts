import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type ComponentLog, openComponentLog } from "./componentLog.ts";

function fresh(fileBytesMax?: number) {
  const directory = mkdtempSync(join(tmpdir(), "skiff-log-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "kube-scheduler.log");
  return { path, old: join(directory, "kube-scheduler.old.log"), log: openComponentLog(path, fileBytesMax) };
}

/** What a follower has been given: messages, and END. */
function followed(log: ComponentLog) {
  let text = "";
  const reader = {
    write: (data: Buffer | string) => {
      text += data;
    },
    end: () => {
      text += '{"msg":"END"}\n';
    },
  };
  const runs = log.follow(reader);
  const messages = () =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line).msg);
  return { runs, messages, stop: () => log.unfollow(reader) };
}

test("who follows gets what was logged since the component began, what comes, and its end", () => {
  const { log, path } = fresh();
  log.begin();
  log.log.info("of the time before");
  log.end();
  log.begin();
  log.log.info("one");
  const early = followed(log);
  log.log.info("two");
  const late = followed(log);
  log.log.info("three");
  log.end();
  expect(early.messages()).toEqual(["one", "two", "three", "END"]);
  expect(late.messages()).toEqual(["one", "two", "three", "END"]);
  expect(readFileSync(path, "utf8")).toContain("of the time before");
});

test("a component that does not run cannot be followed", () => {
  const { log } = fresh();
  expect(followed(log).runs).toBe(false);
  log.begin();
  expect(followed(log).runs).toBe(true);
  log.end();
  expect(followed(log).runs).toBe(false);
});

test("who has gone is given nothing more", () => {
  const { log } = fresh();
  log.begin();
  const gone = followed(log);
  gone.stop();
  log.log.info("later");
  log.end();
  expect(gone.messages()).toEqual([]);
});

test("a process that takes over the file begins behind what is in it", () => {
  const { log, path } = fresh();
  log.begin();
  log.log.info("of another process");
  const next = openComponentLog(path);
  next.begin();
  next.log.info("mine");
  expect(followed(next).messages()).toEqual(["mine"]);
});

test("a file that grows too large begins anew, and the one before is kept", () => {
  const { log, path, old } = fresh(200);
  log.begin();
  const all = followed(log);
  for (const word of ["one", "two", "three", "four"]) log.log.info(word);
  expect(all.messages()).toEqual(["one", "two", "three", "four"]);
  expect(readFileSync(old, "utf8") + readFileSync(path, "utf8")).toMatch(/one.*\n.*two.*\n.*three.*\n.*four/);
  expect(followed(log).messages()).toEqual(["four"]);
});
