/** Reads just enough of a message without taking it apart: for passing other servers' answers on as they are. Pure. */

export const HEADER_BYTES = 12;

/** Where the first question ends; undefined when there is none, or it is cut short. */
export function questionEnd(message: Uint8Array): number | undefined {
  const nameEnd = skipName(message, HEADER_BYTES);
  return nameEnd === undefined || nameEnd + 4 > message.length ? undefined : nameEnd + 4;
}

function skipName(message: Uint8Array, start: number): number | undefined {
  for (let at = start; at < message.length; ) {
    const length = message[at] as number;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
  return undefined;
}

export interface TtlField {
  readonly offset: number;
  readonly seconds: number;
}

const OPT = 41;
const SOA = 6;

/** Places of all times to live. For an answer without records, the SOA's word on how long that holds comes along. */
export function ttlFields(message: Uint8Array): { readonly fields: TtlField[]; readonly negativeSeconds?: number } {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const fields: TtlField[] = [];
  let negativeSeconds: number | undefined;
  let at = questionEnd(message);
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  for (let index = 0; index < records && at !== undefined; index++) {
    const start: number | undefined = skipName(message, at);
    if (start === undefined || start + 10 > message.length) break;
    const type = view.getUint16(start);
    const end: number = start + 10 + view.getUint16(start + 8);
    if (end > message.length) break;
    if (type !== OPT) fields.push({ offset: start + 4, seconds: view.getUint32(start + 4) });
    if (type === SOA) negativeSeconds = Math.min(view.getUint32(start + 4), view.getUint32(end - 4));
    at = end;
  }
  return { fields, ...(negativeSeconds === undefined ? {} : { negativeSeconds }) };
}

/** A copy with another id and, where the message had one, each time to live less `ageSeconds`. */
export function readdress(message: Uint8Array, id: number, ageSeconds = 0): Uint8Array {
  const copy = Uint8Array.from(message);
  const view = new DataView(copy.buffer);
  view.setUint16(0, id);
  if (ageSeconds > 0) {
    for (const { offset, seconds } of ttlFields(copy).fields) view.setUint32(offset, Math.max(0, seconds - ageSeconds));
  }
  return copy;
}
