/**
 * A program that stands for a pod, a node or a client in tests: it runs in a network namespace, answers on TCP and UDP with
 * its name and the address it saw, and connects where it is told by lines of JSON on its standard input.
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

export interface Order {
  readonly id: number;
  readonly do: "tcp" | "udp" | "serve";
  readonly host: string;
  readonly port: number;
  /** UDP: the port to send from, so that two orders are one flow. */
  readonly from?: number;
}

export interface Answer {
  readonly id: number;
  /** "name address" of who answered, or "error CODE". */
  readonly text: string;
}

/** A try that takes this long has failed. */
const TRY_MS = 1_500;

const name = process.argv[2] ?? "agent";
const answer = (id: number, text: string) => process.stdout.write(`${JSON.stringify({ id, text } satisfies Answer)}\n`);

function serve({ id, port, host }: Order): void {
  createServer((socket) => socket.on("error", () => {}).end(`${name} ${socket.remoteAddress}`)).listen(
    port,
    host,
    () => {
      const udp = createSocket("udp4");
      udp.on("message", (_, from) => udp.send(`${name} ${from.address}`, from.port, from.address));
      udp.bind(port, host, () => answer(id, "serving"));
    },
  );
}

function tcp({ id, host, port }: Order): void {
  let text = "";
  const socket = connect({ host, port, timeout: TRY_MS });
  socket.on("data", (data) => {
    text += data;
  });
  socket.on("timeout", () => socket.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
  socket.on("error", (error: NodeJS.ErrnoException) => answer(id, `error ${error.code}`));
  socket.on("close", (failed) => {
    if (!failed) answer(id, text);
  });
}

function udp({ id, host, port, from }: Order): void {
  const socket = createSocket("udp4");
  const done = (text: string) => {
    clearTimeout(timer);
    socket.close();
    answer(id, text);
  };
  const timer = setTimeout(() => done("error ETIMEDOUT"), TRY_MS / 3);
  socket.on("message", (message) => done(message.toString()));
  socket.on("error", (error: NodeJS.ErrnoException) => done(`error ${error.code}`));
  // Connected, so that the kernel reports an ICMP refusal.
  socket.bind(from ?? 0, () => socket.connect(port, host, () => socket.send("hello")));
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line) as Order;
  if (order.do === "serve") serve(order);
  else if (order.do === "tcp") tcp(order);
  else udp(order);
});
