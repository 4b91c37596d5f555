/** The kubectls whose streams are tried: the newest, the newest made to fall back to SPDY, and this machine's older one. */
import { execFileSync } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram } from "../src/lib/findProgram.ts";
import { clientPath } from "./clients.ts";

export interface StreamClient {
  readonly title: string;
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Source: kubectl, pkg/cmd/util/env.go. */
const SPDY_ONLY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" };

export async function streamClients(): Promise<readonly StreamClient[]> {
  const newest = await clientPath("kubectl");
  const older = olderKubectl();
  return [
    { title: "kubectl over WebSocket", path: newest, env: {} },
    { title: "kubectl over SPDY", path: newest, env: SPDY_ONLY },
    ...(older === undefined ? [] : [{ title: `kubectl ${older.version} of this machine`, path: older.path, env: {} }]),
  ];
}

/** The oldest beside the one on the PATH: some distributions put several versions there, as kubectl.1.27. */
function olderKubectl(): { readonly path: string; readonly version: string } | undefined {
  const onPath = findProgram("kubectl");
  if (onPath === undefined) return undefined;
  const directory = dirname(realpathSync(onPath));
  const versioned = readdirSync(directory)
    .filter((name) => /^kubectl\.1\.\d+$/.test(name))
    .sort((a, b) => Number(a.split(".")[2]) - Number(b.split(".")[2]));
  const path = versioned[0] === undefined ? onPath : join(directory, versioned[0]);
  const client = JSON.parse(execFileSync(path, ["version", "--client", "-o", "json"], { encoding: "utf8" }));
  return { path, version: client.clientVersion.gitVersion };
}
