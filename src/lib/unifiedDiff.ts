/** The difference of two texts as `diff -u` writes it, without file names. */

/** Lines kept around a change. */
const CONTEXT_LINES = 3;
/** Above this many differing lines on either side everything between is one change: the table is quadratic. */
const COMPARED_LINES_MAX = 2000;

interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Lengths of the longest common subsequences of the tails. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint16Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] as Uint16Array;
    const below = lengths[i + 1] as Uint16Array;
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return lengths;
}

const marked = (mark: Line["mark"], texts: readonly string[]): Line[] => texts.map((text) => ({ mark, text }));

function changedLines(a: readonly string[], b: readonly string[]): Line[] {
  if (a.length > COMPARED_LINES_MAX || b.length > COMPARED_LINES_MAX) return [...marked("-", a), ...marked("+", b)];
  const lengths = commonLengths(a, b);
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ mark: " ", text: a[i] as string });
      i += 1;
      j += 1;
    } else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) {
      lines.push({ mark: "-", text: a[i] as string });
      i += 1;
    } else {
      lines.push({ mark: "+", text: b[j] as string });
      j += 1;
    }
  }
  return [...lines, ...marked("-", a.slice(i)), ...marked("+", b.slice(j))];
}

function diffLines(a: readonly string[], b: readonly string[]): Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return [
    ...marked(" ", a.slice(0, start)),
    ...changedLines(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...marked(" ", a.slice(a.length - end)),
  ];
}

/** "3,7" as in `@@ -3,7 +3,8 @@`; a single line has no count. */
const range = (first: number, count: number): string =>
  count === 1 ? `${first + 1}` : `${count === 0 ? first : first + 1},${count}`;

/** Runs of lines that are within the context of a change, as half-open ranges. */
function hunks(lines: readonly Line[]): [number, number][] {
  const found: [number, number][] = [];
  lines.forEach(({ mark }, index) => {
    if (mark === " ") return;
    const from = Math.max(0, index - CONTEXT_LINES);
    const to = Math.min(lines.length, index + CONTEXT_LINES + 1);
    const last = found.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else found.push([from, to]);
  });
  return found;
}

export function unifiedDiff(before: string, after: string): string {
  const lines = diffLines(before.split("\n"), after.split("\n"));
  const countUntil = (end: number, mark: "-" | "+"): number =>
    lines.slice(0, end).filter((line) => line.mark === " " || line.mark === mark).length;
  return hunks(lines)
    .map(([from, to]) => {
      const [oldFirst, newFirst] = [countUntil(from, "-"), countUntil(from, "+")];
      const oldRange = range(oldFirst, countUntil(to, "-") - oldFirst);
      const newRange = range(newFirst, countUntil(to, "+") - newFirst);
      const body = lines.slice(from, to).map(({ mark, text }) => `${mark}${text}\n`);
      return `@@ -${oldRange} +${newRange} @@\n${body.join("")}`;
    })
    .join("");
}
