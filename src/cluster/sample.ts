/** The sample: its images, made from this machine's Node.js, and its Deployment and Service. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { deployment, kinds } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { packImage } from "../kubelet/images/pack.ts";
import { apiVersionOf, type KubeObject } from "../machinery/object.ts";
import { adminClient } from "./apiAccess.ts";
import { existingConfig, imageStoreOf } from "./images.ts";
import type { Progress } from "./progress.ts";
import { UserError } from "./userError.ts";

/** What each version of `go-api` does differently. */
const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  "0.0.2": ["VERSION=0.0.2"],
  "0.0.3": ["VERSION=0.0.3"],
  broken: ["VERSION=broken", "CRASH=1"],
};

/** `sample/` lies beside `src/` in a checkout and beside `dist/` in the package. */
const sampleFile = (name: string): string => {
  const candidates = ["../../sample", "../sample"].map((folder) => join(import.meta.dirname, folder, name));
  const found = candidates.find(existsSync);
  if (found === undefined) throw new Error(`${name} of the sample is missing from this installation`);
  return readFileSync(found, "utf8");
};

/** Makes `go-api:0.0.2`, `go-api:0.0.3` and `go-api:broken` in the cluster's image store. */
export async function packSampleImages(cluster: string): Promise<void> {
  const store = imageStoreOf(cluster);
  const app = sampleFile("app.ts");
  for (const [version, env] of Object.entries(VERSIONS)) {
    await packImage(store, {
      name: `go-api:${version}`,
      programs: [{ source: process.execPath, path: "/usr/local/bin/node" }],
      files: [{ path: "/app.ts", content: app }],
      cmd: ["/app.ts"],
      env,
      exposedPorts: ["8080/tcp"],
    });
  }
}

/** How long the sample's pods may take to become available. */
const AVAILABLE_WITHIN_SECONDS = 60;

export async function deploySample(cluster: string, progress: Progress): Promise<void> {
  const { runtime } = existingConfig(cluster);
  if (runtime === "oci") await progress.step("sample images made", () => packSampleImages(cluster));
  const client = adminClient(cluster);
  try {
    await progress.step("sample applied", () => applyManifest(client, sampleFile("manifest.yaml")));
    await progress.step("sample available", () => untilAvailable(client, "default", "go-api"));
  } finally {
    await client.transport.close();
  }
}

async function applyManifest(client: Client, text: string): Promise<void> {
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS() as KubeObject;
    const kind = kinds.find((one) => one.kind === object.kind && apiVersionOf(one) === object.apiVersion);
    if (kind === undefined) throw new Error(`the sample has an object of an unknown kind, ${object.kind}`);
    const target = { name: object.metadata.name, namespace: object.metadata.namespace ?? "default" };
    await client.patch(kind, target, "apply", object, { force: true });
  }
}

async function untilAvailable(client: Client, namespace: string, name: string): Promise<void> {
  const fieldSelector = `metadata.name=${name}`;
  const list = await client.list(deployment, { namespace, fieldSelector });
  const isAvailable = ({ spec, status }: (typeof list.items)[number]) =>
    status.updatedReplicas === spec.replicas && status.availableReplicas === spec.replicas;
  if (list.items.some(isAvailable)) return;
  const events = await client.watch(deployment, {
    namespace,
    fieldSelector,
    resourceVersion: list.metadata.resourceVersion,
    timeoutSeconds: AVAILABLE_WITHIN_SECONDS,
  });
  for await (const batch of events) {
    if (batch.some(({ type, object }) => type !== "DELETED" && type !== "BOOKMARK" && isAvailable(object))) return;
  }
  throw new UserError(
    `the sample was not available within ${AVAILABLE_WITHIN_SECONDS} s; look with: kubectl describe pods`,
  );
}
