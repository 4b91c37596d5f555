/** Cuts the string form of a label selector into tokens. Source: apimachinery labels/selector.go Lexer. */

export type TokenType =
  | "end"
  | "error"
  | "identifier"
  | ")"
  | ","
  | "!"
  | "=="
  | "="
  | ">"
  | "in"
  | "<"
  | "!="
  | "notin"
  | "(";

export interface SelectorToken {
  readonly type: TokenType;
  readonly text: string;
}

const SYMBOLS = new Set<string>(["=", "!", "(", ")", ",", ">", "<"]);
const SYMBOL_TOKENS = new Set<string>([")", ",", "!", "==", "=", ">", "<", "!=", "("]);
const BLANKS = new Set([" ", "\t", "\r", "\n"]);

/** Ends with an "end" token. */
export function labelSelectorTokens(text: string): SelectorToken[] {
  const tokens: SelectorToken[] = [];
  let position = 0;
  for (;;) {
    while (BLANKS.has(text[position] ?? "")) position += 1;
    const first = text[position];
    if (first === undefined) break;
    const token = SYMBOLS.has(first) ? symbolAt(text, position) : wordAt(text, position);
    position += token.text.length;
    tokens.push(token);
  }
  tokens.push({ type: "end", text: "" });
  return tokens;
}

/** Every symbol begins a token by itself, so the longest one is at most two long. */
function symbolAt(text: string, position: number): SelectorToken {
  const two = text.slice(position, position + 2);
  const found = SYMBOL_TOKENS.has(two) ? two : text.charAt(position);
  return { type: found as TokenType, text: found };
}

function wordAt(text: string, position: number): SelectorToken {
  let end = position;
  while (end < text.length && !SYMBOLS.has(text.charAt(end)) && !BLANKS.has(text.charAt(end))) end += 1;
  const word = text.slice(position, end);
  return { type: word === "in" || word === "notin" ? word : "identifier", text: word };
}
