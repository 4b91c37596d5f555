import { statSync } from "node:fs";
import { basename } from "node:path";
import type { PackedFile } from "../../kubelet/images/pack.ts";
import { findProgram } from "../../lib/findProgram.ts";
import { createProgress } from "../progress.ts";
import { UserError } from "../userError.ts";
import { nameOption, type SkiffCommand } from "./command.ts";
import { printTable } from "./list.ts";

interface PackOptions {
  readonly name: string;
  readonly program: readonly string[];
  readonly file: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env: readonly string[];
  readonly workdir?: string;
}

const collect = (value: string, previous: readonly string[]) => [...previous, value];

/** "app.js:/app.js" → what goes where; without a target the file keeps its name at the root. */
function packedFile(text: string): PackedFile {
  const [source = "", path = `/${basename(source)}`] = text.split(":");
  return { source: regularFile(source), path };
}

function programPath(name: string): string {
  const found = name.includes("/") ? name : findProgram(name);
  if (found === undefined) throw new UserError(`there is no program "${name}" on this machine's PATH`);
  return regularFile(found);
}

/** @throws UserError */
function regularFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UserError(`there is no file ${path}`);
  if (!found.isFile()) throw new UserError(`${path} is not a file`);
  return path;
}

export const imageCommand: SkiffCommand = {
  register: (program) => {
    const image = program.command("image").description("make and list images, without Docker");
    image
      .command("pack")
      .description("make an image from a program of this machine, its shared libraries and files")
      .argument("<image>", "name and tag, such as go-api:0.0.2")
      .option("--program <program>", "a program, by name or path; the first is the entrypoint", collect, [])
      .option("--file <source[:target]>", "a file to put into the image", collect, [])
      .option("--entrypoint <words...>", "what runs (default: the first program)")
      .option("--cmd <words...>", "its default arguments")
      .option("--env <KEY=value>", "an environment variable", collect, [])
      .option("--workdir <path>", "where it runs")
      .option(...nameOption)
      .action(async (reference: string, options: PackOptions) => {
        if (options.program.length + options.file.length === 0)
          throw new UserError("give at least one --program or --file");
        const [{ packImage }, { checkImageName, imageStoreOf }] = await Promise.all([
          import("../../kubelet/images/pack.ts"),
          import("../images.ts"),
        ]);
        checkImageName(reference);
        const store = imageStoreOf(options.name);
        const packed = await createProgress().step(`${reference} packed`, () =>
          packImage(store, {
            name: reference,
            programs: options.program.map((one) => ({ source: programPath(one) })),
            files: options.file.map(packedFile),
            env: options.env,
            ...(options.entrypoint !== undefined && { entrypoint: options.entrypoint }),
            ...(options.cmd !== undefined && { cmd: options.cmd }),
            ...(options.workdir !== undefined && { workingDir: options.workdir }),
          }),
        );
        console.log(packed.id);
      });
    image
      .command("ls")
      .description("list the cluster's images")
      .option(...nameOption)
      .action(async (options: { name: string }) => {
        const { imageStoreOf } = await import("../images.ts");
        const rows = imageStoreOf(options.name)
          .list()
          .flatMap(({ id, repoTags, sizeBytes }) =>
            (repoTags.length === 0 ? ["<none>:<none>"] : repoTags).map((tag) => {
              const colon = tag.lastIndexOf(":");
              return [tag.slice(0, colon), tag.slice(colon + 1), id.slice(7, 19), `${(sizeBytes / 1e6).toFixed(1)} MB`];
            }),
          );
        printTable(["IMAGE", "TAG", "IMAGE ID", "SIZE"], rows);
      });
  },
};
