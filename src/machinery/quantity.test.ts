import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliQuantity,
  parseQuantity,
  QuantityError,
  type QuantityFormat,
  quantityMilliValue,
  quantityOf,
  quantityValue,
  subtractQuantities,
} from "./quantity.ts";

describe("canonicalQuantity", () => {
  it.each([
    ["0", "0"],
    ["0Ki", "0"],
    [".", "0"],
    [0.5, "500m"],
    [2, "2"],
    ["0.5", "500m"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["1.5Gi", "1536Mi"],
    ["1024Ki", "1Mi"],
    ["1025Ki", "1025Ki"],
    ["1024", "1024"],
    ["100Mi", "100Mi"],
    ["0.5Gi", "512Mi"],
    ["0.5Ki", "512"],
    ["0.1Ki", "102400m"],
    ["1000k", "1M"],
    ["1000000", "1M"],
    ["50k", "50k"],
    ["1e3", "1e3"],
    ["1000e3", "1e6"],
    ["1E-3", "1E-3"],
    ["1e14", "100e12"],
    ["1.500", "1.500"],
    ["0.0000000001", "1n"],
    ["-0.0000000001", "-1n"],
    ["-1.5Gi", "-1536Mi"],
    ["9Ei", "9223372036854775807"],
    ["1e20", "100e18"],
    ["100E", "100E"],
    ["1000E", "1000E"],
    ["0.0001", "100u"],
  ])("writes %s as %s", (from, want) => expect(canonicalQuantity(from)).toBe(want));

  it.each(["", "1.1.M", "1+1.0M", "0.1mi", "0.1am", "aoeu", ".5i", "1i", "-3.01i", "-3.01e-", "1 0", "0x10"])(
    "refuses %j",
    (text) => expect(() => canonicalQuantity(text)).toThrow(QuantityError),
  );

  it("says what is wrong as upstream does", () => {
    expect(() => parseQuantity("1x")).toThrow(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
    expect(() => parseQuantity("1i")).toThrow("unable to parse quantity's suffix");
  });
});

describe("arithmetic", () => {
  it.each([
    ["100m", "900m", "1"],
    ["0", "1Gi", "1Gi"],
    ["1Gi", "0", "1Gi"],
    ["1Gi", "1G", "2073741824"],
    ["1k", "1Ki", "2024"],
  ])("%s + %s = %s", (a, b, want) => expect(formatQuantity(addQuantities(a, b))).toBe(want));

  it("subtracts below zero", () => expect(formatQuantity(subtractQuantities("100m", "1"))).toBe("-900m"));

  it.each([
    ["100m", "0.1", 0],
    ["10000T", "100Gi", 1],
    ["1Gi", "1G", 1],
    ["-1", "0", -1],
  ])("compares %s with %s: %d", (a, b, want) => expect(compareQuantities(a, b)).toBe(want));

  it.each([
    ["1", 1, 1000],
    ["250m", 1, 250],
    ["0.1m", 1, 1],
    ["1500m", 2, 1500],
    ["-1500m", -2, -1500],
    ["1Ki", 1024, 1_024_000],
  ])("rounds %s up to %d units and %d thousandths", (text, units, thousandths) => {
    expect(quantityValue(text)).toBe(units);
    expect(quantityMilliValue(text)).toBe(thousandths);
  });

  it("makes quantities of numbers", () => {
    expect(formatQuantity(quantityOf(1024, "BinarySI"))).toBe("1Ki");
    expect(formatQuantity(quantityOf(1023, "BinarySI"))).toBe("1023");
    expect(formatQuantity(milliQuantity(1250))).toBe("1250m");
  });
});

describe("any quantity", () => {
  const format = fc.constantFrom<QuantityFormat>("BinarySI", "DecimalSI", "DecimalExponent");
  it("is read back as the same amount, and written the same again", () =>
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }), format, (nano, format) => {
        const text = formatQuantity({ nano, format });
        const back = parseQuantity(text);
        expect(back.nano).toBe(nano);
        expect(canonicalQuantity(text)).toBe(text);
      }),
    ));
});
