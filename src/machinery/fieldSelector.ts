/** Field selectors, `metadata.name=x,status.phase!=Running`. Source: apimachinery fields/selector.go. */

export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** All must hold; none at all selects everything. */
export type FieldSelector = readonly FieldRequirement[];

export class FieldSelectorError extends Error {}

/** Longest first at the same place: "!=" and "==" before "=". */
const TERM = /^(.*?)(!=|==|=)(.*)$/s;

/** Cuts at commas that no backslash stands before. */
const splitTerms = (text: string): string[] => text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? [];

/** `\\`, `\,` and `\=` stand for themselves; anything else after a backslash, or a bare `,` or `=`, is an error. */
function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  return text.replace(/\\(.?)|[,=]/gsu, (sequence, escaped: string | undefined) => {
    if (escaped === undefined) {
      const code = sequence.codePointAt(0);
      throw new FieldSelectorError(`invalid field selector: unescaped character in value: ${code}`);
    }
    if (escaped === "\\" || escaped === "," || escaped === "=") return escaped;
    throw new FieldSelectorError(`invalid field selector: invalid escape sequence: ${sequence}`);
  });
}

/** Throws FieldSelectorError with upstream's text. Requirements come sorted by their text, as upstream has them. */
export function parseFieldSelector(text: string): FieldSelector {
  return splitTerms(text)
    .sort()
    .map((term) => {
      const match = TERM.exec(term);
      if (match === null) {
        throw new FieldSelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
      }
      const [, field = "", operator, value = ""] = match;
      return { field, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) };
    });
}

/** `valueAt` gives "" for a field that is empty or absent. */
export function fieldSelectorMatches(selector: FieldSelector, valueAt: (field: string) => string): boolean {
  return selector.every(({ field, operator, value }) => (valueAt(field) === value) === (operator === "="));
}

/** The value that the selector fixes for a field: `metadata.name=x` can be answered by a read of one key. */
export const exactFieldValue = (selector: FieldSelector, field: string): string | undefined =>
  selector.find((requirement) => requirement.field === field && requirement.operator === "=")?.value;

export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, "\\$&");

export const formatFieldSelector = (selector: FieldSelector): string =>
  selector.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(",");
