/** Programs of this machine, also where an ordinary user's search path does not lead. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const DIRECTORIES_EXTRA = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

export const withSystemDirectories = (path = ""): string =>
  [...new Set([...path.split(delimiter), ...DIRECTORIES_EXTRA])].join(delimiter);

/** Its full path; undefined when there is none. */
export function findProgram(name: string, path: string = process.env.PATH ?? ""): string | undefined {
  for (const directory of withSystemDirectories(path).split(delimiter)) {
    const candidate = join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}
