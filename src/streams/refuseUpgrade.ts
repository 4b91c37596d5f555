import type { Duplex } from "node:stream";

/** Answers a request for an upgrade with a refusal, and closes the connection. @param status "403 Forbidden" */
export function refuseUpgrade(socket: Duplex, status: string, body: string): void {
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  // Nobody reads it any more, so it would not notice that the client closes it.
  socket.end(`${head}Connection: close\r\n\r\n${body}`, () => socket.destroy());
}
