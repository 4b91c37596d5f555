/** A client for whatever a kubeconfig file points at: ours, or any Kubernetes with a client certificate or a token. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Client, createClient } from "../client/client.ts";
import { httpsTransport } from "../client/transports/https.ts";
import { UserError } from "./userError.ts";

interface Entry {
  readonly name: string;
  readonly cluster?: { readonly server: string; readonly "certificate-authority-data"?: string };
  readonly user?: {
    readonly "client-certificate-data"?: string;
    readonly "client-key-data"?: string;
    readonly token?: string;
  };
  readonly context?: { readonly cluster: string; readonly user: string };
}

const decode = (text: string) => Buffer.from(text, "base64").toString("utf8");

/** Close its `transport` when done. @throws UserError */
export function load(path: string, userAgent = "skiff"): Client {
  const config = (parse(readFileSync(path, "utf8")) ?? {}) as Partial<
    Record<"clusters" | "users" | "contexts", Entry[]>
  > & {
    "current-context"?: string;
  };
  const named = (list: readonly Entry[] | undefined | null, name: string | undefined) =>
    list?.find((entry) => entry.name === name);
  const context = named(config.contexts, config["current-context"])?.context;
  const cluster = named(config.clusters, context?.cluster)?.cluster;
  const user = named(config.users, context?.user)?.user;
  if (cluster === undefined || user === undefined) throw new UserError(`${path} has no usable current context`);
  const certificate = user["client-certificate-data"];
  const key = user["client-key-data"];
  const { token } = user;
  const transport = httpsTransport({
    server: cluster.server,
    ca: decode(cluster["certificate-authority-data"] ?? ""),
    ...(certificate !== undefined &&
      key !== undefined && { clientCertificate: { certificate: decode(certificate), key: decode(key) } }),
    ...(token !== undefined && { token: () => token }),
  });
  return createClient(transport, userAgent);
}
