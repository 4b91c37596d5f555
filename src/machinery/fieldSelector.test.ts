import { expect, it } from "vitest";
import { exactFieldValue, fieldSelectorMatches, formatFieldSelector, parseFieldSelector } from "./fieldSelector.ts";

const fields: Record<string, string> = { "metadata.name": "a", "status.phase": "Running", odd: "x,y=z\\" };
const valueAt = (field: string) => fields[field] ?? "";

it.each([
  ["", "", true],
  ["metadata.name=a", "metadata.name=a", true],
  ["metadata.name==a", "metadata.name=a", true],
  ["status.phase!=Running,metadata.name=a", "metadata.name=a,status.phase!=Running", false],
  ["spec.nodeName=", "spec.nodeName=", true],
  ["spec.nodeName!=", "spec.nodeName!=", false],
  ["odd=x\\,y\\=z\\\\", "odd=x\\,y\\=z\\\\", true],
  [",,metadata.name=a,", "metadata.name=a", true],
])("%j reads as %j", (text, canonical, matches) => {
  const selector = parseFieldSelector(text);
  expect(formatFieldSelector(selector)).toBe(canonical);
  expect(fieldSelectorMatches(selector, valueAt)).toBe(matches);
});

it.each([
  ["a", "invalid selector: 'a'; can't understand 'a'"],
  ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ["a=b\\c", "invalid field selector: invalid escape sequence: \\c"],
  ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
])("refuses %j", (text, message) => expect(() => parseFieldSelector(text)).toThrow(new Error(message)));

it("knows which fields it fixes", () => {
  const selector = parseFieldSelector("metadata.name=a,spec.nodeName!=b");
  expect(exactFieldValue(selector, "metadata.name")).toBe("a");
  expect(exactFieldValue(selector, "spec.nodeName")).toBeUndefined();
});
