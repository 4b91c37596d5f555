/** The string form of label selectors, `kubectl get -l`. Source: apimachinery labels/selector.go Parser. */
import { FieldPath, invalid } from "./fieldErrors.ts";
import { labelSelectorTokens, type SelectorToken, type TokenType } from "./labelSelectorTokens.ts";
import { qualifiedNameReasons } from "./names.ts";
import {
  byKey,
  newRequirement,
  type Selector,
  SelectorError,
  type SelectorOperator,
  type SelectorRequirement,
  throwIfAny,
} from "./selectorRequirement.ts";

/** Parses `a=b,c!=d,e in (x,y),!f,g,h>1`. Throws SelectorError with upstream's text. Source: labels.Parse. */
export function parseLabelSelector(text: string): Selector {
  const tokens = labelSelectorTokens(text);
  const reader = { tokens, position: 0 };
  const requirements: SelectorRequirement[] = [];
  for (;;) {
    const next = lookAhead(reader, "values");
    if (next.type === "end") break;
    if (next.type !== "identifier" && next.type !== "!") {
      throw new SelectorError(`found '${next.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(parsedRequirement(reader));
    const separator = consume(reader, "values");
    if (separator.type === "end") break;
    if (separator.type !== ",") throw new SelectorError(`found '${separator.text}', expected: ',' or 'end of string'`);
    const after = lookAhead(reader, "values");
    if (after.type !== "identifier" && after.type !== "!") {
      throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
    }
  }
  return { requirements: requirements.sort(byKey) };
}

interface Reader {
  readonly tokens: readonly SelectorToken[];
  position: number;
}

const END: SelectorToken = { type: "end", text: "" };

/** "in" and "notin" are words like any other where a value is expected. */
function tokenAt({ tokens, position }: Reader, context: "values" | "operator"): SelectorToken {
  const token = tokens[position] ?? END;
  const isWord = context === "values" && (token.type === "in" || token.type === "notin");
  return isWord ? { type: "identifier", text: token.text } : token;
}

const lookAhead = tokenAt;

function consume(reader: Reader, context: "values" | "operator"): SelectorToken {
  const token = tokenAt(reader, context);
  reader.position += 1;
  return token;
}

function parsedRequirement(reader: Reader): SelectorRequirement {
  try {
    return parseRequirement(reader);
  } catch (error) {
    if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
    throw error;
  }
}

function parseRequirement(reader: Reader): SelectorRequirement {
  let token = consume(reader, "values");
  const negated = token.type === "!";
  if (negated) token = consume(reader, "values");
  if (token.type !== "identifier") throw new SelectorError(`found '${token.text}', expected: identifier`);
  const key = token.text;
  const reasons = qualifiedNameReasons(key);
  if (reasons.length > 0) throwIfAny([invalid(new FieldPath("<nil>"), key, reasons.join("; "))]);
  const next = lookAhead(reader, "values").type;
  if (negated) return newRequirement(key, "!", []);
  if (next === "end" || next === ",") return newRequirement(key, "exists", []);
  const operator = parseOperator(reader);
  const values = operator === "in" || operator === "notin" ? parseValues(reader) : parseExactValue(reader);
  return newRequirement(key, operator, [...values].sort());
}

const OPERATOR_TOKENS: Partial<Record<TokenType, SelectorOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

function parseOperator(reader: Reader): SelectorOperator {
  const { type, text } = consume(reader, "operator");
  const operator = OPERATOR_TOKENS[type];
  if (operator !== undefined) return operator;
  throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
}

function parseExactValue(reader: Reader): Set<string> {
  const next = lookAhead(reader, "values").type;
  if (next === "end" || next === ",") return new Set([""]);
  const { type, text } = consume(reader, "values");
  if (type === "identifier") return new Set([text]);
  throw new SelectorError(`found '${text}', expected: identifier`);
}

/** Reads "(a,b)"; "()" is one empty value. */
function parseValues(reader: Reader): Set<string> {
  const open = consume(reader, "values");
  if (open.type !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
  const first = lookAhead(reader, "values");
  if (first.type === ")") {
    consume(reader, "values");
    return new Set([""]);
  }
  if (first.type !== "identifier" && first.type !== ",") {
    throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
  }
  const values = parseIdentifiers(reader);
  if (consume(reader, "values").type !== ")") throw new SelectorError(`found '${first.text}', expected: ')'`);
  return values;
}

/** Stops before the closing parenthesis. "(,a,,b,)" holds an empty value wherever one is missing. */
function parseIdentifiers(reader: Reader): Set<string> {
  const values = new Set<string>();
  for (;;) {
    const token = consume(reader, "values");
    const next = lookAhead(reader, "values");
    if (token.type === "identifier") {
      values.add(token.text);
      if (next.type === ")") return values;
      if (next.type !== ",") throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
    } else if (token.type === ",") {
      if (values.size === 0 || next.type === "," || next.type === ")") values.add("");
      if (next.type === ")") return values;
    } else {
      throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    }
  }
}

function requirementText({ key, operator, values }: SelectorRequirement): string {
  const sorted = [...values].sort().join(",");
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${sorted})`;
    case "gt":
      return `${key}>${sorted}`;
    case "lt":
      return `${key}<${sorted}`;
    default:
      return `${key}${operator}${sorted}`;
  }
}

/** The string form, as kubectl prints it and as `status.selector` of a scale carries it. */
export const formatSelector = ({ requirements }: Selector): string =>
  (requirements ?? []).map(requirementText).join(",");
