/** `$(NAME)` in commands, arguments and values. Source: kubernetes third_party/forked/golang/expansion. */

/**
 * "$(A) $$(A) $(B)" with A=1 gives "1 $(A) $(B)": what is not known stays, and "$$" is a dollar sign.
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  if (!text.includes("$")) return text;
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? "$" : (lookUp(name) ?? whole),
  );
}

export const expandAll = (
  texts: readonly string[] | undefined,
  lookUp: (name: string) => string | undefined,
): readonly string[] => (texts ?? []).map((text) => expand(text, lookUp));
