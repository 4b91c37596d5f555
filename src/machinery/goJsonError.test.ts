import { expect, test } from "vitest";
import { goJsonDepthError, goJsonError, goJsonObjectError, goJsonSyntaxError } from "./goJsonError.ts";

test.each([
  ['{"a":[1,-0.5e+3,true,null,"\\u00e9\\n"],"b":{}}', undefined],
  [" [] \n", undefined],
  ["", "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ['"a', "unexpected end of JSON input"],
  ['{"a":', "unexpected end of JSON input"],
  ["not", "invalid character 'o' in literal null (expecting 'u')"],
  ["tru", "invalid character ' ' in literal true (expecting 'e')"],
  ["abc", "invalid character 'a' looking for beginning of value"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
  ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ["[1 2]", "invalid character '2' after array element"],
  ["[1,]", "invalid character ']' looking for beginning of value"],
  ["1 2", "invalid character '2' after top-level value"],
  ["01", "invalid character '1' after top-level value"],
  ["-", "invalid character ' ' in numeric literal"],
  ["1.x", "invalid character 'x' after decimal point in numeric literal"],
  ["1e", "invalid character ' ' in exponent of numeric literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\u0001"', "invalid character '\\x01' in string literal"],
])("of %j Go says %j", (text, want) => {
  expect(goJsonSyntaxError(Buffer.from(text))).toBe(want);
});

test.each([
  ["{}", undefined],
  ["null", undefined],
  ["[1]", "json: cannot unmarshal array into Go value of type map[string]interface {}"],
  ["true", "json: cannot unmarshal bool into Go value of type map[string]interface {}"],
  ['"a"', "json: cannot unmarshal string into Go value of type map[string]interface {}"],
  ["1", "json: cannot unmarshal number into Go value of type map[string]interface {}"],
])("for an object, of %j Go says %j", (text, want) => {
  expect(goJsonObjectError(Buffer.from(text))).toBe(want);
});

test("what is nested more than 10,000 times is not read", () => {
  const nested = (depth: number) => Buffer.from("[".repeat(depth) + "]".repeat(depth));
  expect(goJsonDepthError(nested(10_000))).toBeUndefined();
  expect(goJsonDepthError(nested(10_001))).toBe("exceeded max depth");
  expect(goJsonError(Buffer.from("[".repeat(100_000)))).toBe("exceeded max depth");
  expect(goJsonDepthError(Buffer.from(JSON.stringify('[\\"'.repeat(20_000))))).toBeUndefined();
});
