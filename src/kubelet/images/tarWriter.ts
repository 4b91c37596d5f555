/** What goes into an archive. Owner is root and times are zero, so that equal content gives equal bytes. */
export interface TarMember {
  /** Without a leading slash. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  readonly mode: number;
  /** Length of a file's content. */
  readonly size: number;
  readonly linkName?: string;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: "0", directory: "5", symlink: "2" } as const;

/** A tar archive (ustar, with pax headers for long names), deterministic. */
export async function* writeTar(
  members: Iterable<TarMember>,
  content: (member: TarMember) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  for (const member of members) {
    yield tarHeader(member);
    if (member.type !== "file") continue;
    let written = 0;
    for await (const piece of content(member)) {
      written += piece.length;
      yield piece;
    }
    if (written !== member.size) throw new Error(`${member.path} changed while it was read`);
    yield Buffer.alloc((BLOCK - (written % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function tarHeader(member: TarMember): Buffer {
  const path = member.type === "directory" ? `${member.path}/` : member.path;
  const linkName = member.linkName ?? "";
  const records: [string, string][] = [];
  if (Buffer.byteLength(path) > 100) records.push(["path", path]);
  if (Buffer.byteLength(linkName) > 100) records.push(["linkpath", linkName]);
  const size = member.type === "file" ? member.size : 0;
  const header = headerBlock({ path, linkName, flag: TYPE_FLAGS[member.type], mode: member.mode, size });
  if (records.length === 0) return header;
  const pax = Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(""));
  const padding = Buffer.alloc((BLOCK - (pax.length % BLOCK)) % BLOCK);
  const before = headerBlock({ path: "PaxHeader", linkName: "", flag: "x", mode: 0o644, size: pax.length });
  return Buffer.concat([before, pax, padding, header]);
}

function headerBlock(fields: { path: string; linkName: string; flag: string; mode: number; size: number }): Buffer {
  const block = Buffer.alloc(BLOCK);
  Buffer.from(fields.path).copy(block, 0, 0, 100);
  const octal = (value: number, start: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, "0"), start, "latin1");
  octal(fields.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(fields.size, 124, 12);
  octal(0, 136, 12);
  block.write(fields.flag, 156, "latin1");
  Buffer.from(fields.linkName).copy(block, 157, 0, 100);
  block.write("ustar\x0000", 257, "latin1");
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** The length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
