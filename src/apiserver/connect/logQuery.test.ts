import { expect, test } from "vitest";
import { logQuery } from "./logQuery.ts";

const MAY_ONE = "at most one of `sinceTime` or `sinceSeconds` may be specified";

test.each([
  { asked: "", want: "" },
  { asked: "container=a&follow=true&tailLines=5", want: "follow=true&tailLines=5" },
  { asked: "follow=maybe&previous=false&timestamps=0", want: "follow=true" },
  { asked: "sinceTime=2026-01-01T00:00:00Z", want: "sinceTime=2026-01-01T00%3A00%3A00Z" },
  { asked: "tailLines=0", want: "tailLines=0" },
])("$asked is passed on as $want", ({ asked, want }) => {
  expect(`${logQuery("p", new URLSearchParams(asked))}`).toBe(want);
});

test.each([
  { asked: "tailLines=-1", want: "tailLines: Invalid value: -1: must be greater than or equal to 0" },
  { asked: "limitBytes=0", want: "limitBytes: Invalid value: 0: must be greater than 0" },
  { asked: "sinceSeconds=0", want: "sinceSeconds: Invalid value: 0: must be greater than 0" },
  { asked: "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", want: `Forbidden: ${MAY_ONE}` },
  { asked: "stream=Stderr", want: "stream: Forbidden: may not be specified" },
])("$asked is invalid", ({ asked, want }) => {
  const ask = () => logQuery("p", new URLSearchParams(asked));
  expect(ask).toThrow(`PodLogOptions "p" is invalid: ${want}`);
  expect(ask).toThrow(expect.objectContaining({ reason: "Invalid" }));
});

test.each([
  ["tailLines=many", 'strconv.ParseInt: parsing "many": invalid syntax'],
  ["sinceTime=today", 'parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today"'],
])("%s cannot be read: %s", (asked, want) => {
  const ask = () => logQuery("p", new URLSearchParams(asked));
  expect(ask).toThrow(want);
  expect(ask).toThrow(expect.objectContaining({ reason: "BadRequest" }));
});
