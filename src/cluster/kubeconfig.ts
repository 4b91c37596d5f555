/** Kubeconfig files: ours, and entries merged into the user's. */
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
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
  readonly clusters: readonly Named[] | null;
  readonly users: readonly Named[] | null;
  readonly contexts: readonly Named[] | null;
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

type List = readonly Named[] | undefined | null;

const replaceNamed = (old: List, add: List): readonly Named[] => [
  ...(old ?? []).filter(({ name }) => !add?.some((one) => one.name === name)),
  ...(add ?? []),
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
  writeKubeconfig(path, stringify(merged, AS_KUBECTL));
}

/** Takes the cluster's entries out again; a file that never had them is not touched. */
export function removeFromKubeconfig(path: string, cluster: string): void {
  if (!existsSync(path)) return;
  const name = `skiff-${cluster}`;
  const old = readUserKubeconfig(path);
  const all = [old.contexts, old.clusters, old.users].flatMap((list) => list ?? []);
  if (!all.some((one) => one.name === name)) return;
  const without = (list: List) => (list ?? []).filter((one) => one.name !== name);
  const current = old["current-context"] === name ? "" : old["current-context"];
  writeKubeconfig(
    path,
    stringify(
      {
        ...old,
        clusters: without(old.clusters),
        users: without(old.users),
        contexts: without(old.contexts),
        "current-context": current,
      },
      AS_KUBECTL,
    ),
  );
}

function readUserKubeconfig(path: string): Partial<Kubeconfig> {
  if (!existsSync(path)) return {};
  const unusable = (cause?: unknown) =>
    new UserError(`${path} is not a kubeconfig that can be read; nothing was changed`, { cause });
  try {
    const config: unknown = parse(readFileSync(path, "utf8"), AS_KUBECTL) ?? {};
    if (isKubeconfig(config)) return config;
  } catch (cause) {
    throw unusable(cause);
  }
  throw unusable();
}

/** kubectl reads YAML 1.1, in which `no` is false and must be quoted to be a name. */
const AS_KUBECTL = { version: "1.1" } as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lists may be empty, null or absent. */
function isKubeconfig(config: unknown): config is Partial<Kubeconfig> {
  if (!isObject(config)) return false;
  return ["clusters", "users", "contexts"].every((key) => {
    const list = config[key] ?? [];
    return Array.isArray(list) && list.every((entry) => isObject(entry) && typeof entry.name === "string");
  });
}

/** Whole or not at all, and not where nothing has changed: a full disk must not cost the file. */
export function writeKubeconfig(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  // Many keep it elsewhere and have a link here.
  const target = existsSync(path) ? realpathSync(path) : path;
  writeFileSync(`${target}.skiff-new`, text, { mode: 0o600 });
  renameSync(`${target}.skiff-new`, target);
}
