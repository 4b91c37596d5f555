import { execFile } from "node:child_process";
import { access, open } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

/** Loaded by name at run time, so that ldd does not list them; without them old glibc resolves no names. */
const NAME_SERVICE_LIBRARIES = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

/** Files that the program needs to start, as it looks for them, with its dynamic loader; none when it is static. */
export async function sharedLibraries(program: string): Promise<readonly string[]> {
  const interpreter = await scriptInterpreter(program);
  if (interpreter !== undefined) throw new Error(`${program} is a script for ${interpreter}, not a program`);
  const { stdout } = await promisify(execFile)("ldd", [program], { env: { ...process.env, LC_ALL: "C" } }).catch(
    (error) => {
      // Also what ldd of musl and of glibc say of a static program, with a non-zero code.
      if (/not a dynamic executable|Not a valid dynamic program/.test(`${error.stdout}${error.stderr}`))
        return { stdout: "" };
      throw new Error(`ldd ${program}: ${error.stderr || error.message}`);
    },
  );
  const libraries = parseLdd(stdout);
  const libc = libraries.find((library) => /\/libc\.so\.6$/.test(library));
  if (libc === undefined) return libraries;
  const extra = NAME_SERVICE_LIBRARIES.map((name) => join(dirname(libc), name));
  const present = await Promise.all(
    extra.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return [...new Set([...libraries, ...extra.filter((_, index) => present[index])])].sort();
}

/** Where a library goes in an image: its own place, but for one that only LD_LIBRARY_PATH finds, which goes beside libc. */
export function placeInImage(
  library: string,
  libraries: readonly string[],
  searched: string = process.env.LD_LIBRARY_PATH ?? "",
): string {
  const libc = libraries.find((one) => /\/libc\.so\.6$/.test(one));
  const isExtra = searched.split(delimiter).includes(dirname(library));
  return isExtra && libc !== undefined ? join(dirname(libc), basename(library)) : library;
}

/** Paths in the output of ldd. @throws Error for a library that is missing. */
export function parseLdd(output: string): readonly string[] {
  const missing = /^\s*(\S+) => not found/m.exec(output)?.[1];
  if (missing !== undefined) throw new Error(`the library ${missing} is missing`);
  const lines = output.split("\n").map((line) => /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1]);
  return [...new Set(lines.filter((path) => path !== undefined))].sort();
}

async function scriptInterpreter(program: string): Promise<string | undefined> {
  const file = await open(program);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128, 0).finally(() => file.close());
  return /^#!\s*(.*)/.exec(buffer.toString("latin1", 0, bytesRead))?.[1];
}
