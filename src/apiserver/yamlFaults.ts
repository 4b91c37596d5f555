/** How Go words what is wrong with a YAML text. Source: sigs.k8s.io/yaml YAMLToJSONStrict, go-yaml. */
import { parseDocument } from "yaml";

export interface YamlFaults {
  /** It cannot be read at all. */
  readonly syntax: string | undefined;
  /** Keys that it gives twice, which only a strict reading minds. */
  readonly duplicates: readonly string[];
}

export function yamlFaults(text: string): YamlFaults {
  const { errors } = parseDocument(text);
  const other = errors.find(({ code }) => code !== "DUPLICATE_KEY");
  const lines = errors
    .filter(({ code }) => code === "DUPLICATE_KEY")
    .map(({ pos: [start], linePos }) => {
      const [key = ""] = /^("[^"]*"|[^\s:]*)/.exec(text.slice(start)) ?? [];
      return `  line ${linePos?.[0].line ?? 0}: key ${JSON.stringify(key.replaceAll('"', ""))} already set in map`;
    });
  return {
    syntax: other?.message,
    duplicates: lines.length === 0 ? [] : [["yaml: unmarshal errors:", ...lines].join("\n")],
  };
}

export const duplicateYamlKeys = (text: string): readonly string[] => yamlFaults(text).duplicates;

/** One warning per line, without the head. Source: endpoints/handlers rest.go, parseYAMLWarnings. */
export function yamlWarnings(fault: string): readonly string[] {
  const [head = "", ...lines] = fault.split("\n");
  return /^(error converting YAML to JSON: )?yaml: unmarshal errors:$/.test(head)
    ? lines.map((line) => line.trim())
    : [fault];
}
