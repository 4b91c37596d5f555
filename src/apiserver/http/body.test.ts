import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readBody } from "./body.ts";

test("a body that does not come to its end is not waited for for ever", async () => {
  const body = new PassThrough();
  body.write("{");
  await expect(readBody(body, {}, 10)).rejects.toMatchObject({
    code: 504,
    reason: "Timeout",
    message: "Timeout: request did not complete within the allotted timeout",
  });
});

test("a body comes whole", async () => {
  const body = new PassThrough();
  const read = readBody(body, {});
  body.write("a");
  body.end("b");
  expect(`${await read}`).toBe("ab");
});
