import { expandIPv6 } from "./ipv6.ts";
import { type DnsRecord, RESPONSE_CODES, type RecordType, type ResponseCode } from "./wire.ts";

const TYPE_NUMBERS: Readonly<Record<RecordType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};
const CLASS_IN = 1;
const OPT = 41;

/** Builds one message in a buffer that grows. Worked history: "web.ns" at 12; "db.ns" writes db, then a pointer to 16. */
export class MessageWriter {
  #buffer = Buffer.alloc(512);
  #length = 0;
  readonly #maxBytes: number;
  /** Where a name, or the rest of one, has been written: later ones point there. */
  readonly #names = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  skip(count: number): void {
    this.#length += count;
  }

  bytes(data: Uint8Array): void {
    this.#reserve(data.length);
    this.#buffer.set(data, this.#length);
    this.#length += data.length;
  }

  /** Lets later names point to the question's. */
  rememberName(question: Uint8Array, offset: number): void {
    const labels: { text: string; at: number }[] = [];
    for (let at = 0; at < question.length; ) {
      const length = question[at] as number;
      if (length === 0 || length > 63) break;
      labels.push({
        text: Buffer.from(question.subarray(at + 1, at + 1 + length)).toString("latin1"),
        at: at + offset,
      });
      at += length + 1;
    }
    labels.forEach(({ at }, index) => {
      this.#names.set(
        labels
          .slice(index)
          .map((label) => label.text)
          .join("."),
        at,
      );
    });
  }

  /** @returns how many fitted. */
  records(records: readonly DnsRecord[]): number {
    let written = 0;
    for (const record of records) {
      const start = this.#length;
      this.#record(record);
      if (this.#length > this.#maxBytes) {
        this.#length = start;
        for (const [name, at] of this.#names) if (at >= start) this.#names.delete(name);
        break;
      }
      written++;
    }
    return written;
  }

  edns({ udpPayloadSize, dnssecOk }: { udpPayloadSize: number; dnssecOk: boolean }, code: ResponseCode): void {
    this.#uint(0, 1);
    this.#uint(OPT, 2);
    this.#uint(udpPayloadSize, 2);
    this.#uint(RESPONSE_CODES[code] >> 4, 1);
    this.#uint(0, 1);
    this.#uint(dnssecOk ? 0x8000 : 0, 2);
    this.#uint(0, 2);
  }

  finish(header: readonly number[]): Uint8Array {
    header.forEach((value, index) => {
      this.#buffer.writeUInt16BE(value, index * 2);
    });
    return this.#buffer.subarray(0, this.#length);
  }

  #record(record: DnsRecord): void {
    this.#name(record.name);
    this.#uint(TYPE_NUMBERS[record.type], 2);
    this.#uint(CLASS_IN, 2);
    this.#uint(record.ttl, 4);
    this.#uint(0, 2);
    const start = this.#length;
    this.#data(record);
    this.#buffer.writeUInt16BE(this.#length - start, start - 2);
  }

  #data(record: DnsRecord): void {
    switch (record.type) {
      case "A":
        this.bytes(Uint8Array.from(record.data.split("."), Number));
        break;
      case "AAAA":
        this.bytes(Uint8Array.from(expandIPv6(record.data).flatMap((part) => [part >> 8, part & 0xff])));
        break;
      case "CNAME":
      case "NS":
      case "PTR":
        this.#name(record.data);
        break;
      case "TXT": {
        const text = Buffer.from(record.data).subarray(0, 255);
        this.#uint(text.length, 1);
        this.bytes(text);
        break;
      }
      case "SRV":
        this.#uint(record.data.priority, 2);
        this.#uint(record.data.weight, 2);
        this.#uint(record.data.port, 2);
        // RFC 2782 forbids compressing it.
        this.#name(record.data.target, false);
        break;
      case "SOA": {
        const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
        this.#name(mname);
        this.#name(rname);
        for (const value of [serial, refresh, retry, expire, minimum]) this.#uint(value, 4);
        break;
      }
    }
  }

  #name(name: string, compress = true): void {
    const labels = name
      .replace(/\.$/, "")
      .split(".")
      .filter((label) => label !== "");
    for (let index = 0; index < labels.length; index++) {
      const rest = labels.slice(index).join(".");
      const known = this.#names.get(rest);
      if (compress && known !== undefined) {
        this.#uint(0xc000 | known, 2);
        return;
      }
      // A pointer has 14 bits.
      if (known === undefined && this.#length < 0x4000) this.#names.set(rest, this.#length);
      const label = Buffer.from(labels[index] as string, "latin1").subarray(0, 63);
      this.#uint(label.length, 1);
      this.bytes(label);
    }
    this.#uint(0, 1);
  }

  #uint(value: number, width: number): void {
    this.#reserve(width);
    this.#buffer.writeUIntBE(value, this.#length, width);
    this.#length += width;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + count));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
