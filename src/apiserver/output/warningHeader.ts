/** Remarks of the server, which kubectl prints. Source: apiserver endpoints/filters/warning.go, RFC 7234 with code 299. */

/** Beyond this all are cut short, and beyond it again the rest is dropped. */
const TEXT_RUNES_MAX = 4 * 1024;
const CUT_RUNES_MAX = 256;

/** Undefined where there is nothing to say. */
export function warningHeader(warnings: readonly string[]): string | undefined {
  const texts = [...new Set(warnings)].filter(isSendable);
  if (texts.length === 0) return undefined;
  return bounded(texts).map(headerOf).join(", ");
}

/** Source: apimachinery util/net NewWarningHeader. */
const isSendable = (text: string): boolean => text !== "" && !/\p{Cc}/u.test(text);

function bounded(texts: readonly string[]): readonly string[] {
  const runes = texts.map((text) => [...text]);
  if (runes.reduce((sum, { length }) => sum + length, 0) <= TEXT_RUNES_MAX) return texts;
  let written = 0;
  return runes.flatMap((text) => {
    if (written >= TEXT_RUNES_MAX) return [];
    const cut = text.slice(0, CUT_RUNES_MAX);
    written += cut.length;
    return [cut.join("")];
  });
}

/** The bytes of UTF-8 go out as they are; Node takes each character of a header for one byte. */
const headerOf = (text: string): string => `299 - "${Buffer.from(text.replace(/["\\]/g, "\\$&")).toString("latin1")}"`;
