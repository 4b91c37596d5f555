/** What a simulated pod answers on its ports, and what simulated commands print. */
import { Duplex } from "node:stream";
import type { ExecSyncResult } from "../../runtime.ts";
import type { SimulatedContainer } from "./container.ts";

/** Speaks just enough HTTP: 200 where the pod is healthy, 503 where it is not; ends after one answer. */
export function httpAnswer(isHealthy: () => boolean, name: string): Duplex {
  let received = "";
  let isAnswered = false;
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (!isAnswered) received += chunk.toString("latin1");
      // A body may follow in any number of pieces; nobody looks at it.
      if (!isAnswered && received.includes("\r\n\r\n")) {
        isAnswered = true;
        const body = isHealthy() ? `ok from ${name}\n` : "not healthy\n";
        const status = isHealthy() ? "200 OK" : "503 Service Unavailable";
        const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
        this.push(head + body);
        this.push(null);
      }
      done();
    },
  });
}

/**
 * A few commands that people try, enough to see that exec works: echo, env, hostname, true, false, exit N, date.
 * Everything else succeeds while the container is healthy and fails while it is not, which is what probes want.
 */
export function simulatedExec(
  container: SimulatedContainer,
  hostname: string,
  command: readonly string[],
): ExecSyncResult {
  const [program = "", ...args] = command;
  const name = program.split("/").at(-1) ?? "";
  const answer = (stdout: string, exitCode = 0): ExecSyncResult => ({
    exitCode,
    stdout: Buffer.from(stdout),
    stderr: Buffer.alloc(0),
  });
  const isShell = (name === "sh" || name === "bash") && args[0] === "-c";
  if (isShell) {
    const exit = /^exit (\d+)$/.exec(args[1] ?? "");
    if (exit !== null) return answer("", Number(exit[1]));
    return simulatedExec(container, hostname, (args[1] ?? "").split(/\s+/));
  }
  switch (name) {
    case "echo":
      return answer(`${args.join(" ").replace(/^["']|["']$/g, "")}\n`);
    case "env":
      return answer(container.config.env.map((variable) => `${variable.name}=${variable.value}\n`).join(""));
    case "hostname":
      return answer(`${hostname}\n`);
    case "true":
      return answer("");
    case "false":
      return answer("", 1);
    default:
      return answer("", container.isHealthy ? 0 : 1);
  }
}
