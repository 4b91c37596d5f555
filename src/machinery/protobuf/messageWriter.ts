/**
 * Writes protobuf from the end towards the beginning, so that a message's length is known when it is to be written
 * before it, and nothing is measured or copied in between:
 *
 *     …free…[tag 2][length 5]"abcde"     after text("abcde"), length(5), tag(2)
 */
import { WIRE } from "./wire.ts";

const BEGIN_BYTES = 4096;

export class MessageWriter {
  #buffer = Buffer.allocUnsafe(BEGIN_BYTES);
  /** Of the first byte that is written. */
  #start = BEGIN_BYTES;

  /** Bytes written so far. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  /** What has been written, copied; the writer can be used anew. */
  take(): Uint8Array {
    const bytes = Buffer.from(this.#buffer.subarray(this.#start));
    this.#start = this.#buffer.length;
    return bytes;
  }

  /** What stands before the `length` bytes that were written since: their tag and length. */
  head(number: number, length: number): void {
    this.varint(length);
    this.#tag(number, WIRE.bytes);
  }

  bytes(number: number, bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#start -= bytes.length;
    this.#buffer.set(bytes, this.#start);
    this.head(number, bytes.length);
  }

  text(number: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#room(length);
    this.#start -= length;
    this.#buffer.write(text, this.#start);
    this.head(number, length);
  }

  integer(number: number, value: number | bigint): void {
    this.varint(value);
    this.#tag(number, WIRE.varint);
  }

  double(number: number, value: number): void {
    this.#room(8);
    this.#start -= 8;
    this.#buffer.writeDoubleLE(value, this.#start);
    this.#tag(number, WIRE.fixed64);
  }

  /** The bytes of an integer, as two's complement of 64 bits where it is negative. */
  varint(value: number | bigint): void {
    if (typeof value === "bigint" || value < 0) {
      this.#long(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    let size = 1;
    for (let limit = 0x80; value >= limit; limit *= 0x80) size += 1;
    this.#room(size);
    this.#start -= size;
    let rest = value;
    for (let index = 0; index < size - 1; index += 1) {
      this.#buffer[this.#start + index] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#start + size - 1] = rest;
  }

  #long(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    this.#room(bytes.length);
    this.#start -= bytes.length;
    this.#buffer.set(bytes, this.#start);
  }

  #tag(number: number, type: number): void {
    this.varint(number * 8 + type);
  }

  #room(length: number): void {
    if (this.#start >= length) return;
    const written = this.length;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, written + length));
    this.#buffer.copy(larger, larger.length - written, this.#start);
    this.#start = larger.length - written;
    this.#buffer = larger;
  }
}
