import { expect, test } from "vitest";
import { requireNode } from "./requiredNode.ts";

test.each(["22.5.0", "24.0.0", "26.10.0"])("Node.js %s will do", (version) => requireNode(version));

test.each(["18.20.8", "20.20.2"])("Node.js %s is refused with a sentence", (version) => {
  expect(() => requireNode(version)).toThrow(`needs Node.js 24 or newer, and this is ${version}.`);
});
