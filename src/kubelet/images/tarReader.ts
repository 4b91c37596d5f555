import { ByteReader } from "./byteReader.ts";

const BLOCK = 512;
/** Longest extended header that is read into memory. */
const EXTENDED_HEADER_BYTES_MAX = 1 << 20;

export type TarEntryType = "file" | "link" | "symlink" | "character" | "block" | "directory" | "fifo" | "other";

export interface TarHeader {
  readonly path: string;
  readonly type: TarEntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly modifiedAtMs: number;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes; binary, because file capabilities are. */
  readonly attributes: ReadonlyMap<string, Buffer>;
}

export interface TarEntry {
  readonly header: TarHeader;
  /** Where its content starts in the archive. */
  readonly offset: number;
  /** May be left unread. */
  readonly content: AsyncIterable<Buffer>;
}

const TYPES: Readonly<Record<string, TarEntryType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/**
 * Entries of a tar archive one after the other: ustar, pax (with binary extended attributes, which tar-stream turns into
 * text) and GNU long names.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const reader = new ByteReader(source);
  let extended = new Map<string, Buffer>();
  let global = new Map<string, Buffer>();
  for (;;) {
    const block = await reader.exactly(BLOCK);
    if (block === undefined) return;
    if (block.every((byte) => byte === 0)) continue;
    checkSum(block, reader.offset);
    const kind = String.fromCharCode(block[156] as number);
    const size = number(block, 124, 12);
    if (kind === "x" || kind === "g" || kind === "L" || kind === "K") {
      const data = await extendedHeader(reader, size);
      if (kind === "g") global = new Map([...global, ...parsePax(data)]);
      else if (kind === "x") extended = new Map([...extended, ...parsePax(data)]);
      else extended.set(kind === "L" ? "path" : "linkpath", data.subarray(0, endOfText(data)));
      continue;
    }
    const header = parseHeader(block, kind, new Map([...global, ...extended]));
    extended = new Map();
    const offset = reader.offset;
    yield { header, offset, content: reader.pieces(header.size) };
    await reader.skip(offset + Math.ceil(header.size / BLOCK) * BLOCK - reader.offset);
  }
}

async function extendedHeader(reader: ByteReader, size: number): Promise<Buffer> {
  if (size > EXTENDED_HEADER_BYTES_MAX) throw new Error(`extended header of ${size} bytes at byte ${reader.offset}`);
  const data = Buffer.from((await reader.exactly(size)) ?? []);
  await reader.skip((BLOCK - (size % BLOCK)) % BLOCK);
  return data;
}

function parseHeader(block: Buffer, kind: string, extended: ReadonlyMap<string, Buffer>): TarHeader {
  const type = TYPES[kind] ?? "other";
  const prefix = block.toString("latin1", 257, 262) === "ustar" && block[262] === 0 ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  const decimal = (key: string, fallback: number) => Number(extended.get(key)?.toString() ?? fallback);
  const hasContent = type === "file" || type === "other";
  const path = extended.get("path")?.toString() ?? (prefix === "" ? name : `${prefix}/${name}`);
  return {
    path,
    type: type === "file" && path.endsWith("/") ? "directory" : type,
    mode: number(block, 100, 8) & 0o7777,
    uid: decimal("uid", number(block, 108, 8)),
    gid: decimal("gid", number(block, 116, 8)),
    size: hasContent ? decimal("size", number(block, 124, 12)) : 0,
    modifiedAtMs: decimal("mtime", number(block, 136, 12)) * 1000,
    linkName: extended.get("linkpath")?.toString() ?? text(block, 157, 100),
    major: number(block, 329, 8),
    minor: number(block, 337, 8),
    attributes: attributesOf(extended),
  };
}

const ATTRIBUTE_PREFIX = "SCHILY.xattr.";

function attributesOf(extended: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const attributes = [...extended].filter(([key]) => key.startsWith(ATTRIBUTE_PREFIX));
  return new Map(attributes.map(([key, value]) => [key.slice(ATTRIBUTE_PREFIX.length), value]));
}

/** Records of the form "LENGTH KEY=VALUE\n", where the length counts the whole record. */
function parsePax(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let start = 0; start < data.length; ) {
    const space = data.indexOf(0x20, start);
    const length = Number(data.toString("latin1", start, space));
    const equals = data.indexOf(0x3d, space);
    if (space < 0 || equals < 0 || !(length > 0)) break;
    records.set(data.toString("utf8", space + 1, equals), data.subarray(equals + 1, start + length - 1));
    start += length;
  }
  return records;
}

const endOfText = (bytes: Buffer) => {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
};

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  return field.toString("utf8", 0, endOfText(field));
}

/** Octal text, or big-endian binary when the first bit is set (GNU, for what is too large). */
function number(block: Buffer, start: number, length: number): number {
  if (((block[start] as number) & 0x80) === 0) return Number.parseInt(text(block, start, length).trim() || "0", 8) || 0;
  let value = (block[start] as number) & 0x7f;
  for (let index = start + 1; index < start + length; index++) value = value * 256 + (block[index] as number);
  return value;
}

function checkSum(block: Buffer, offset: number): void {
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK; index++) if (index < 148 || index >= 156) sum += block[index] as number;
  if (sum !== number(block, 148, 8)) throw new Error(`invalid tar header before byte ${offset}`);
}
