import { expect, test } from "vitest";
import { unifiedDiff } from "./unifiedDiff.ts";

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index + 1}`);
const text = (lines: readonly string[]): string => lines.join("\n");

test("equal texts have no difference", () => {
  expect(unifiedDiff("a\nb", "a\nb")).toBe("");
});

test("a changed line is shown between three lines of context", () => {
  const after = numbered(9).with(4, "other");
  expect(unifiedDiff(text(numbered(9)), text(after))).toBe(
    "@@ -2,7 +2,7 @@\n line 2\n line 3\n line 4\n-line 5\n+other\n line 6\n line 7\n line 8\n",
  );
});

test("added and removed lines are counted apart", () => {
  expect(unifiedDiff("a\nb", "a\nx\ny\nb")).toBe("@@ -1,2 +1,4 @@\n a\n+x\n+y\n b\n");
  expect(unifiedDiff("a\nx\nb", "a\nb")).toBe("@@ -1,3 +1,2 @@\n a\n-x\n b\n");
});

test("changes far from each other are shown apart", () => {
  const after = numbered(20).with(1, "first").with(18, "last");
  expect(unifiedDiff(text(numbered(20)), text(after)).match(/@@ .* @@/g)).toEqual([
    "@@ -1,5 +1,5 @@",
    "@@ -16,5 +16,5 @@",
  ]);
});
