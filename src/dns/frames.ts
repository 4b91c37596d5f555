/** Cuts a stream of DNS messages, each after its length in two bytes (RFC 1035, 4.2.2), whatever the pieces it comes in. */
export function splitFrames(take: (message: Uint8Array) => void): (chunk: Uint8Array) => void {
  let pending: Uint8Array = new Uint8Array();
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const end = 2 + (((pending[0] as number) << 8) | (pending[1] as number));
      if (pending.length < end) return;
      take(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
  };
}

/** A message after its length, as `splitFrames` takes it apart again. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(message.length + 2);
  frame.writeUInt16BE(message.length);
  frame.set(message, 2);
  return frame;
}
