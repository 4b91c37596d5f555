import { type Header, pack } from "tar-stream";

export type TestEntry = Partial<Header> & { readonly name: string; readonly content?: string | Uint8Array };

/** The writer's own default is now, and with it two archives of the same entries would differ. */
const MODIFIED_AT = new Date(0);

/** An archive made by another's writer. */
export async function tarOf(entries: readonly TestEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content = "", ...given } of entries) {
    const header = { mtime: MODIFIED_AT, ...given };
    const isFile = header.type === undefined || header.type === "file";
    if (isFile) archive.entry(header, Buffer.from(content as string));
    else archive.entry(header);
  }
  archive.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of archive) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Bytes as they come from a file or a socket. */
export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  const pieceLength = 1000;
  for (let start = 0; start < bytes.length; start += pieceLength) yield bytes.subarray(start, start + pieceLength);
}
