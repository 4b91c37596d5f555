/** Registry credentials from a pod's imagePullSecrets. Source: kubernetes pkg/credentialprovider/secrets. */
import type { Pod, Secret } from "../api/generated/core-v1.ts";
import type { Recorder } from "./events.ts";
import type { References } from "./references.ts";
import type { RegistryCredential } from "./runtime.ts";

interface AuthEntry {
  readonly username?: string;
  readonly password?: string;
  /** base64 of "username:password" */
  readonly auth?: string;
}

function credentialOf(registry: string, { username, password, auth }: AuthEntry): RegistryCredential {
  if (auth === undefined || username !== undefined)
    return { registry, username: username ?? "", password: password ?? "" };
  const [user = "", ...rest] = Buffer.from(auth, "base64").toString("utf8").split(":");
  return { registry, username: user, password: rest.join(":") };
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch {
    // A secret that holds no JSON gives no credentials, as upstream.
    return undefined;
  }
}

/** "https://index.docker.io/v1/" → "index.docker.io" */
const hostOf = (key: string): string => key.replace(/^https?:\/\//, "").replace(/\/(v[12]\/?)?$/, "");

export function credentialsOf({ data }: Secret): readonly RegistryCredential[] {
  const config = parsed(data?.[".dockerconfigjson"]) as { auths?: Record<string, AuthEntry> } | undefined;
  const auths = config?.auths ?? (parsed(data?.[".dockercfg"]) as Record<string, AuthEntry> | undefined) ?? {};
  return Object.entries(auths).map(([key, entry]) => credentialOf(hostOf(key), entry));
}

/** What is missing or no registry secret counts for nothing, as upstream; what is missing is told. */
export async function pullCredentials(
  references: References,
  recorder: Recorder,
  pod: Pod,
): Promise<readonly RegistryCredential[]> {
  const { uid, namespace = "" } = pod.metadata;
  const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
  const secrets = await Promise.all(names.map((name) => references.secret(uid, namespace, name)));
  const missing = names.filter((_, index) => secrets[index] === undefined);
  if (missing.length > 0) {
    // Source: kubelet_pods.go getPullSecretsForPod.
    const text = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
    recorder.event({ ...pod, apiVersion: "v1", kind: "Pod" }, "Warning", "FailedToRetrieveImagePullSecret", text);
  }
  return secrets.flatMap((secret) => (secret === undefined ? [] : credentialsOf(secret)));
}
