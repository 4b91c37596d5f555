/**
 * Reads the documentation of API types and fields out of the declaration files of `@kubernetes/client-node` (a
 * development dependency generated from the same API level), so that `kubectl explain` shows the real text.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const models = join(import.meta.dirname, "../node_modules/@kubernetes/client-node/dist/gen/models");

export interface TypeDescription {
  description: string;
  fields: Record<string, string>;
}

/** "api.core.v1.Pod" → its candidates "V1Pod" and, where two groups share a name, "CoreV1Pod". */
function candidates(typeName: string): string[] {
  const [name = "", version = "", group = ""] = typeName.split(".").reverse();
  const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  return [`${upper(group)}${upper(version)}${name}`, `${upper(version)}${name}`];
}

const plainText = (text: string) =>
  text
    .replace(/^\s*\*? ?/gm, "")
    .replace(/\\(["'])/g, "$1")
    .trim();

/** @returns type name → description, for every type that the package documents. */
export function extractDescriptions(typeNames: readonly string[]): Record<string, TypeDescription> {
  const available = new Set(existsSync(models) ? readdirSync(models) : []);
  const described: Record<string, TypeDescription> = {};
  for (const typeName of typeNames) {
    const file = candidates(typeName).find((candidate) => available.has(`${candidate}.d.ts`));
    if (file === undefined) continue;
    const text = readFileSync(join(models, `${file}.d.ts`), "utf8");
    const description = /\/\*\*\n((?:\* .*\n)+)\*\/\nexport declare class/.exec(text)?.[1] ?? "";
    const fields: Record<string, string> = {};
    for (const match of text.matchAll(/ {4}\/\*\*\n {4}\* (.*)\n {4}\*\/\n {4}'([^']+)'\??:/g)) {
      fields[match[2] as string] = plainText(match[1] as string);
    }
    described[typeName] = { description: plainText(description), fields };
  }
  return described;
}
