/** Probes against real servers that speak over pairs of streams: no sockets, no real time. */
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type Duplex, duplexPair } from "node:stream";
import { afterEach, expect, test } from "vitest";
import type { Probe } from "../../api/generated/core-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import { silentLog } from "../../lib/silentLog.ts";
import { VirtualClock } from "../../lib/virtualClock.ts";
import type { Dial } from "../dial.ts";
import { testPod } from "../podLifecycle/testPods.ts";
import { RuntimeError } from "../runtime.ts";
import { runProbe } from "./runProbe.ts";

const open: Duplex[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

function target(dial: Dial, execCode: number | Error = 0) {
  const clock = new VirtualClock();
  const execSync = async () => {
    if (execCode instanceof Error) throw execCode;
    return { exitCode: execCode, stdout: Buffer.from("out"), stderr: Buffer.from("err") };
  };
  const probe = (spec: Probe) =>
    runProbe(
      {
        env: { clock, random: seededRandom(""), log: silentLog },
        runtime: { execSync },
        dial,
        pod: testPod(),
        container: { name: "app", ports: [{ name: "web", containerPort: 80 }] },
        containerId: "c1",
        podIp: "10.0.0.1",
      },
      spec,
    );
  return { clock, probe };
}

function httpDial(listener: RequestListener): Dial {
  const server = createServer(listener);
  return async () => {
    const [ours, theirs] = duplexPair();
    open.push(ours, theirs);
    server.emit("connection", theirs);
    return ours;
  };
}

const refused: Dial = async (host, port) => {
  throw new Error(`dial tcp ${host}:${port}: connect: connection refused`);
};
const silent: Dial = async () => {
  const [ours, theirs] = duplexPair();
  open.push(ours, theirs);
  return ours;
};

test.each([
  { status: 200, want: "Success ok" },
  { status: 301, want: "Success ok" },
  { status: 404, want: "Failure HTTP probe failed with statuscode: 404" },
  { status: 500, want: "Failure HTTP probe failed with statuscode: 500" },
])("an HTTP answer of $status: $want", async ({ status, want }) => {
  const dial = httpDial((_, response) => {
    response.writeHead(status);
    response.end("ok");
  });
  const { verdict, message } = await target(dial).probe({ httpGet: { port: "web", path: "/healthz" } });
  expect(`${verdict} ${message}`).toBe(want);
});

test.each([
  { name: "on the same host is followed", location: "/new", want: "Success at /new" },
  {
    name: "to another host is a warning",
    location: "http://example.com/",
    want: "Warning Probe terminated redirects, Response body: ",
  },
  {
    name: "in circles fails",
    location: "/healthz",
    want: 'Failure Get "http://10.0.0.1:80/healthz": stopped after 10 redirects',
  },
])("a redirect $name", async ({ location, want }) => {
  const dial = httpDial((request, response) => {
    if (request.url === "/healthz") response.writeHead(302, { location });
    response.end(request.url === "/healthz" ? "" : `at ${request.url}`);
  });
  const { verdict, message } = await target(dial).probe({ httpGet: { port: "web", path: "/healthz" } });
  expect(`${verdict} ${message}`).toBe(want);
});

test("an HTTP probe says who it is, and sends the headers that it is told to", async () => {
  let seen: object = {};
  const dial = httpDial((request, response) => {
    seen = {
      url: request.url,
      agent: request.headers["user-agent"],
      host: request.headers.host,
      extra: request.headers["x-a"],
    };
    response.end();
  });
  await target(dial).probe({
    httpGet: {
      port: 8080,
      path: "up?x=1",
      httpHeaders: [
        { name: "X-A", value: "1" },
        { name: "Host", value: "h" },
      ],
    },
  });
  expect(seen).toEqual({ url: "/up?x=1", agent: "kube-probe/1.36", host: "h", extra: "1" });
});

test("a connection that is refused fails", async () => {
  const { probe } = target(refused);
  expect(await probe({ httpGet: { port: 80 } })).toEqual({
    verdict: "Failure",
    message: 'Get "http://10.0.0.1:80/": dial tcp 10.0.0.1:80: connect: connection refused',
  });
  expect(await probe({ tcpSocket: { port: 80 } })).toMatchObject({ verdict: "Failure" });
});

test("a server that stays silent fails after the timeout", async () => {
  const { clock, probe } = target(silent);
  const outcome = probe({ httpGet: { port: 80 }, timeoutSeconds: 2 });
  await clock.advance(1999);
  await clock.advance(1);
  expect((await outcome).message).toBe(
    'Get "http://10.0.0.1:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
  );
});

test("an open port is enough for TCP", async () => {
  expect(await target(silent).probe({ tcpSocket: { port: "web" } })).toEqual({ verdict: "Success", message: "" });
});

test("a name that no port has fails", async () => {
  expect((await target(silent).probe({ tcpSocket: { port: "none" } })).message).toBe(
    "couldn't find port: none in container app",
  );
});

test.each([
  [0, "Success"],
  [1, "Failure"],
])("a command that ends with %d: %s", async (code, verdict) => {
  expect(await target(refused, code).probe({ exec: { command: ["check"] } })).toEqual({ verdict, message: "outerr" });
});

test.each([
  { name: "takes too long fails", error: new RuntimeError("DeadlineExceeded", "timed out"), verdict: "Failure" },
  { name: "cannot be run says nothing", error: new RuntimeError("", "no such program"), verdict: "Unknown" },
])("a command that $name", async ({ error, verdict }) => {
  const outcome = await target(refused, error).probe({ exec: { command: ["check"] } });
  expect(outcome).toEqual({ verdict, message: error.message });
});

test("a server without TLS fails an HTTPS probe in Go's words", async () => {
  const dial: Dial = async () => {
    const [ours, theirs] = duplexPair();
    open.push(ours, theirs);
    theirs.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    return ours;
  };
  expect((await target(dial).probe({ httpGet: { port: 443, scheme: "HTTPS" } })).message).toBe(
    'Get "https://10.0.0.1:443/": http: server gave HTTP response to HTTPS client',
  );
});

test.each([
  { name: "serving", status: 1, want: "Success service healthy" },
  { name: "not serving", status: 2, want: 'Failure service unhealthy (responded with "NOT_SERVING")' },
])("gRPC: $name", async ({ status, want }) => {
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
  });
  const dial: Dial = async () => {
    const [ours, theirs] = duplexPair();
    open.push(ours, theirs);
    server.emit("connection", theirs);
    return ours;
  };
  const { verdict, message } = await target(dial).probe({ grpc: { port: 9000 } });
  expect(`${verdict} ${message}`).toBe(want);
});
