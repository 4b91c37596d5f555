import { closeSync, openSync } from "node:fs";
import { Socket } from "node:net";
import {
  AF_UNIX,
  connectUnix,
  openSocket,
  receiveNow,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
} from "../../nodeEnvironment/systemCalls.ts";

/** A byte for the stream and what was read at once. Source: conmon src/conn_sock.c, STDIO_BUF_SIZE. */
const PACKET_BYTES_MAX = 8193;
/** First byte of a packet. Source: conmon src/utils.h, STDOUT_PIPE and STDERR_PIPE. */
const STDOUT = 2;

export interface Packet {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

interface PipeHandle {
  open(descriptor: number): number;
  fd: number;
}

/** What `net` wraps a descriptor with; it takes only stream sockets by itself, though libuv reads any. */
function pipeHandle(descriptor: number): PipeHandle {
  const { Pipe, constants } = (process as unknown as { binding(name: string): PipeBinding }).binding("pipe_wrap");
  const handle = new Pipe(constants.SOCKET);
  handle.open(descriptor);
  return handle;
}
interface PipeBinding {
  readonly Pipe: new (type: number) => PipeHandle;
  readonly constants: { readonly SOCKET: number };
}

/**
 * A connection to conmon's attach socket, whose packets `net.connect` cannot receive: what is written is the container's
 * input, `end` its end of file.
 */
export class PacketSocket {
  readonly #socket: Socket;
  readonly #descriptor: number;

  /** Connects to the socket `attach` in `directory`, whose own path may be longer than a socket's can be. */
  constructor(directory: string) {
    this.#descriptor = openSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC);
    const parent = openSync(directory, "r");
    try {
      connectUnix(this.#descriptor, `/proc/self/fd/${parent}/attach`);
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    } finally {
      closeSync(parent);
    }
    const handle = pipeHandle(this.#descriptor);
    this.#socket = new Socket({ handle, allowHalfOpen: true } as object);
    this.#socket.on("error", () => this.#socket.destroy());
  }

  get input(): Socket {
    return this.#socket;
  }

  /**
   * Hands over one packet after the other until either side hangs up, waiting for each to be taken. By events, because
   * only a flowing stream keeps what came apart apart: iterating joins chunks that wait.
   */
  forward(take: (packet: Packet) => Promise<void>): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        reject(error);
        socket.destroy();
      };
      socket.once("close", resolve);
      socket.once("end", () => this.#takeRest(take).catch(fail));
      socket.on("data", (data) => {
        socket.pause();
        take(packetOf(data as Buffer)).then(() => socket.resume(), fail);
      });
    });
  }

  /** libuv takes a short read of a socket that has hung up for its end, though packets may still be queued. */
  async #takeRest(take: (packet: Packet) => Promise<void>): Promise<void> {
    for (let data = this.#next(); data !== undefined; data = this.#next()) await take(packetOf(data));
    this.#socket.destroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  #next(): Buffer | undefined {
    return this.#socket.destroyed ? undefined : receiveNow(this.#descriptor, PACKET_BYTES_MAX);
  }
}

const packetOf = (data: Buffer): Packet => ({
  stream: data[0] === STDOUT ? "stdout" : "stderr",
  data: data.subarray(1),
});
