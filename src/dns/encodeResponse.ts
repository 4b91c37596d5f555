/**
 * Answers as bytes. `dns-packet` reads questions, but writes every name out in full: with names as long as Kubernetes'
 * a handful of addresses would no longer fit a datagram. So answers are written here, with names compressed (RFC 1035,
 * 4.1.4). Pure.
 */
import { MessageWriter } from "./messageWriter.ts";
import { type DnsRecord, RESPONSE_CODES, type ResponseCode } from "./wire.ts";

export interface Response {
  readonly id: number;
  readonly code: ResponseCode;
  /** The question as it came, which is repeated byte for byte. */
  readonly question: Uint8Array;
  readonly authoritative: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** Set when the question had EDNS: the size of datagram that we take. */
  readonly edns?: { readonly udpPayloadSize: number; readonly dnssecOk: boolean };
}

const HEADER_BYTES = 12;
const OPT_BYTES = 11;

/** Writes a response into at most `maxBytes`: what does not fit is left out, and the flag for "ask by TCP" is set. */
export function encodeResponse(response: Response, maxBytes: number): Uint8Array {
  const writer = new MessageWriter(maxBytes - (response.edns === undefined ? 0 : OPT_BYTES));
  writer.skip(HEADER_BYTES);
  writer.rememberName(response.question, HEADER_BYTES);
  writer.bytes(response.question);
  const answers = writer.records(response.answers);
  const authorities = writer.records(response.authorities);
  const additionals = writer.records(response.additionals);
  const truncated = answers < response.answers.length || authorities < response.authorities.length;
  if (response.edns !== undefined) writer.edns(response.edns, response.code);
  const flags =
    0x8000 |
    (response.authoritative ? 0x0400 : 0) |
    (truncated ? 0x0200 : 0) |
    (response.recursionDesired ? 0x0100 : 0) |
    (response.recursionAvailable ? 0x0080 : 0) |
    (RESPONSE_CODES[response.code] & 0xf);
  const extra = additionals + (response.edns === undefined ? 0 : 1);
  return writer.finish([response.id, flags, response.question.length > 0 ? 1 : 0, answers, authorities, extra]);
}
