/** Reads exact lengths from a stream of chunks. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);
  /** Bytes given out so far. */
  offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next piece of at most `max` bytes; undefined at the end. */
  async some(max: number): Promise<Buffer | undefined> {
    while (this.#chunk.length === 0) {
      const { value, done } = await this.#source.next();
      if (done) return undefined;
      this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    const piece = this.#chunk.subarray(0, max);
    this.#chunk = this.#chunk.subarray(piece.length);
    this.offset += piece.length;
    return piece;
  }

  /** Exactly `length` bytes; undefined at a clean end. @throws Error when the stream ends in between. */
  async exactly(length: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const piece = await this.some(missing);
      if (piece === undefined) {
        if (pieces.length === 0) return undefined;
        throw new Error(`unexpected end of the archive at byte ${this.offset}`);
      }
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  async *pieces(length: number): AsyncGenerator<Buffer, void> {
    for (let missing = length; missing > 0; ) {
      const piece = await this.some(missing);
      if (piece === undefined) throw new Error(`unexpected end of the archive at byte ${this.offset}`);
      missing -= piece.length;
      yield piece;
    }
  }

  async skip(length: number): Promise<void> {
    for await (const piece of this.pieces(length)) void piece;
  }
}
