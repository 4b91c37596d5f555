import { expect, test } from "vitest";
import { isLive } from "./liveLine.ts";

test.each([
  { name: "a terminal", isTTY: true, TERM: "xterm-256color", want: true },
  { name: "a terminal that says nothing of itself", isTTY: true, TERM: undefined, want: true },
  { name: "a terminal that knows no escape sequences", isTTY: true, TERM: "dumb", want: false },
  { name: "a pipe", isTTY: undefined, TERM: "xterm", want: false },
])("$name is live: $want", ({ isTTY, TERM, want }) => {
  expect(isLive({ isTTY } as unknown as NodeJS.WriteStream, TERM === undefined ? {} : { TERM })).toBe(want);
});
