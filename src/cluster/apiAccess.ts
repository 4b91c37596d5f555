/** A typed client for a cluster on this machine, as its administrator. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, createClient } from "../client/client.ts";
import { httpsTransport } from "../client/transports/https.ts";
import { existingConfig } from "./images.ts";
import { clusterPaths } from "./paths.ts";

/** Close its `transport` when done. */
export function adminClient(name: string): Client {
  const { pki } = clusterPaths(name);
  const config = existingConfig(name);
  const read = (file: string) => readFileSync(join(pki, file), "utf8");
  const transport = httpsTransport({
    server: `https://127.0.0.1:${config.apiPort}`,
    ca: read("ca.crt"),
    clientCertificate: { certificate: read("admin.crt"), key: read("admin.key") },
  });
  return createClient(transport, "skiff");
}
