/** The sample: its images, made from this machine's Node.js, and its Deployment and Service. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { deployment, kinds, pod, service } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { packImage } from "../kubelet/images/pack.ts";
import { apiVersionOf, type KubeObject } from "../machinery/object.ts";
import { adminClient } from "./apiAccess.ts";
import { existingConfig, imageStoreOf } from "./images.ts";
import type { Progress } from "./progress.ts";
import { realClock } from "./realEnv.ts";
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

/** Its NodePort, offered on this machine's loopback. */
export const SAMPLE_URL = "http://127.0.0.1:30080/";
/** How long the sample's pods may take to become available. */
const AVAILABLE_WITHIN_SECONDS = 60;
const AVAILABLE_AGAIN_WITHIN_SECONDS = 10;
const ASK_AGAIN_MS = 100;

export async function deploySample(cluster: string, progress: Progress): Promise<void> {
  const { runtime } = existingConfig(cluster);
  const client = adminClient(cluster);
  try {
    // It is the user's by now: applying it again would take back what was changed.
    if (await isDeployed(client)) return await awaitSample(client, progress, runtime === "oci");
    if (runtime === "oci") await progress.step("sample images made", () => packSampleImages(cluster));
    await progress.step("sample applied", () => applyManifest(client, sampleFile("manifest.yaml")));
    await progress.step("sample available", () => untilAvailable(client, AVAILABLE_WITHIN_SECONDS));
  } finally {
    await client.transport.close();
  }
}

/** The Service is what is applied last. */
async function isDeployed(client: Client): Promise<boolean> {
  const { items } = await client.list(service, { namespace: "default", fieldSelector: "metadata.name=go-api" });
  return items.length > 0;
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

/** Whatever became of it under the user's hands, the cluster is up. */
async function awaitSample(client: Client, progress: Progress, hasContainers: boolean): Promise<void> {
  const title = "sample, which was there already, available";
  const wait = async () => {
    const untilMs = realClock.monotonic() + AVAILABLE_AGAIN_WITHIN_SECONDS * 1000;
    // After a restart of the node, statuses are at first those of before it.
    while (hasContainers && !(await everyPodAnswers(client))) {
      if (realClock.monotonic() > untilMs) throw notAvailable(AVAILABLE_AGAIN_WITHIN_SECONDS);
      await realClock.sleep(ASK_AGAIN_MS);
    }
    await untilAvailable(client, AVAILABLE_AGAIN_WITHIN_SECONDS);
  };
  await progress.step(title, wait).catch((error: Error) => progress.warn(error.message));
}

/** Asked through the API server, so that only a container that runs now can answer. */
async function everyPodAnswers(client: Client): Promise<boolean> {
  const { items } = await client.list(pod, { namespace: "default", labelSelector: "app=go-api" });
  const answers = await Promise.all(
    items.map(({ metadata: { name } }) =>
      client.transport
        .request({
          method: "GET",
          path: `/api/v1/namespaces/default/pods/${name}/proxy/healthz`,
          query: new URLSearchParams(),
        })
        .then(
          () => true,
          () => false,
        ),
    ),
  );
  return answers.every((answer) => answer);
}

const notAvailable = (seconds: number) =>
  new UserError(`the sample was not available within ${seconds} s; look with: kubectl describe pods`);

async function untilAvailable(client: Client, seconds: number): Promise<void> {
  const sample = { namespace: "default", fieldSelector: "metadata.name=go-api" };
  const list = await client.list(deployment, sample);
  const isAvailable = ({ metadata, spec, status }: (typeof list.items)[number]) =>
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas;
  if (list.items.some(isAvailable)) return;
  const { resourceVersion } = list.metadata;
  const events = await client.watch(deployment, { ...sample, resourceVersion, timeoutSeconds: seconds });
  for await (const batch of events) {
    if (batch.some(({ type, object }) => type !== "DELETED" && type !== "BOOKMARK" && isAvailable(object))) return;
  }
  throw notAvailable(seconds);
}
