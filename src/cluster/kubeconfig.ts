/** Kubeconfig files: ours, and entries merged into the user's. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parse, stringify } from "yaml";
import type { KeyPair } from "../pki/certificates.ts";
import { UserError } from "./userError.ts";

interface Named {
  readonly name: string;
}

/** The parts of a kubeconfig that we touch; everything else is kept as it is. */
interface Kubeconfig {
  readonly apiVersion: "v1";
  readonly kind: "Config";
  readonly clusters: readonly Named[];
  readonly users: readonly Named[];
  readonly contexts: readonly Named[];
  readonly "current-context": string;
  readonly [other: string]: unknown;
}

export interface Access {
  readonly cluster: string;
  readonly server: string;
  readonly caCertificate: string;
  readonly client: KeyPair;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** The context is named `skiff-<cluster>`. */
export function kubeconfigFor({ cluster, server, caCertificate, client }: Access): string {
  const name = `skiff-${cluster}`;
  const config: Kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [named(name, { cluster: { "certificate-authority-data": base64(caCertificate), server } })],
    users: [
      named(name, {
        user: { "client-certificate-data": base64(client.certificate), "client-key-data": base64(client.key) },
      }),
    ],
    contexts: [named(name, { context: { cluster: name, user: name } })],
    "current-context": name,
  };
  return stringify(config);
}

const named = <T extends object>(name: string, rest: T): Named & T => ({ name, ...rest });

const replaceNamed = (old: readonly Named[] | undefined | null, add: readonly Named[]): readonly Named[] => [
  ...(old ?? []).filter(({ name }) => !add.some((one) => one.name === name)),
  ...add,
];

/** Puts the entries of `text` into the file at `path` and makes its context the current one. @throws UserError */
export function mergeKubeconfig(path: string, text: string): void {
  const addition = parse(text) as Kubeconfig;
  const old = readUserKubeconfig(path);
  const merged = {
    ...old,
    apiVersion: "v1",
    kind: "Config",
    clusters: replaceNamed(old.clusters, addition.clusters),
    users: replaceNamed(old.users, addition.users),
    contexts: replaceNamed(old.contexts, addition.contexts),
    "current-context": addition["current-context"],
  };
  writeKubeconfig(path, stringify(merged));
}

/** Takes the cluster's entries out again; a file that never had them is not touched. */
export function removeFromKubeconfig(path: string, cluster: string): void {
  if (!existsSync(path)) return;
  const name = `skiff-${cluster}`;
  const old = readUserKubeconfig(path);
  if (![...(old.contexts ?? []), ...(old.clusters ?? [])].some((one) => one.name === name)) return;
  const without = (list: readonly Named[] | undefined) => (list ?? []).filter((one) => one.name !== name);
  const current = old["current-context"] === name ? "" : old["current-context"];
  writeKubeconfig(
    path,
    stringify({
      ...old,
      clusters: without(old.clusters),
      users: without(old.users),
      contexts: without(old.contexts),
      "current-context": current,
    }),
  );
}

function readUserKubeconfig(path: string): Partial<Kubeconfig> {
  if (!existsSync(path)) return {};
  try {
    return (parse(readFileSync(path, "utf8")) as Partial<Kubeconfig> | null) ?? {};
  } catch (cause) {
    throw new UserError(`${path} is not a kubeconfig that can be read; nothing was changed`, { cause });
  }
}

/** Whole or not at all, and not where nothing has changed: a full disk must not cost the file. */
export function writeKubeconfig(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.skiff-new`, text, { mode: 0o600 });
  renameSync(`${path}.skiff-new`, path);
}
