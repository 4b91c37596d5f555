/** Durations as Go writes them: "1h30m", "1.5s", "300ms". Source: Go time.ParseDuration. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** @returns milliseconds @throws Error in Go's words */
export function parseGoDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const isNegative = text.startsWith("-");
  let rest = text.replace(/^[-+]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw new Error(`time: invalid duration ${quoted}`);
  let sumMs = 0;
  while (rest !== "") {
    const [all = "", amount = "", unit = ""] = /^(\d*\.?\d*)([^\d.]*)/.exec(rest) ?? [];
    if (!/\d/.test(amount)) throw new Error(`time: invalid duration ${quoted}`);
    if (unit === "") throw new Error(`time: missing unit in duration ${quoted}`);
    const unitMs = Object.hasOwn(UNIT_MS, unit) ? UNIT_MS[unit] : undefined;
    if (unitMs === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    sumMs += Number(amount) * unitMs;
    rest = rest.slice(all.length);
  }
  return isNegative ? -sumMs : sumMs;
}
