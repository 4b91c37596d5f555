import { expect, test } from "vitest";
import { daemonSet, deployment, pod, service } from "../../api/index.ts";
import type { Client } from "../../client/client.ts";
import { startCluster } from "../startCluster.ts";
import { applyAddons } from "./applyAddons.ts";
import { DNS_IMAGE } from "./builtinImages.ts";

const KUBE_SYSTEM = "kube-system";
const dns = { name: "coredns", namespace: KUBE_SYSTEM };
const settings = { clusterDns: "10.96.0.10", nodesReady: Promise.resolve() };

const namesOf = async (client: Client) =>
  (await client.list(pod, { namespace: KUBE_SYSTEM })).items
    .filter(({ status }) => status.phase === "Running")
    .map(({ metadata }) => metadata.name)
    .toSorted();

test("DNS and service proxy have kubeadm's names, and run on every kind of node", async () => {
  await using cluster = await startCluster({ clock: "virtual", seed: "addons", nodes: 3 });
  await applyAddons(cluster.client, settings);
  await cluster.until(async () => (await namesOf(cluster.client)).length === 5);
  const [first, second, ...proxies] = await namesOf(cluster.client);
  expect([first, second]).toEqual(Array(2).fill(expect.stringMatching(/^coredns-[a-z0-9]{5,10}-[a-z0-9]{5}$/)));
  expect(proxies).toEqual(Array(3).fill(expect.stringMatching(/^kube-proxy-[a-z0-9]{5}$/)));
  const { spec } = await cluster.client.get(service, { name: "kube-dns", namespace: KUBE_SYSTEM });
  expect([spec.clusterIP, spec.ports?.map(({ name, port, protocol }) => `${name}:${port}/${protocol}`)]).toEqual([
    "10.96.0.10",
    ["dns:53/UDP", "dns-tcp:53/TCP", "metrics:9153/TCP"],
  ]);
});

test("the pods of the DNS are on different nodes", async () => {
  await using cluster = await startCluster({ clock: "virtual", seed: "spread", nodes: 2 });
  await applyAddons(cluster.client, settings);
  await cluster.until(async () => (await namesOf(cluster.client)).length === 4);
  const { items } = await cluster.client.list(pod, { namespace: KUBE_SYSTEM, labelSelector: "k8s-app=kube-dns" });
  expect(items.map(({ spec }) => spec.nodeName).toSorted()).toEqual(["node-1", "node-2"]);
});

test("applied again nothing changes", async () => {
  await using cluster = await startCluster({ clock: "virtual", seed: "again", nodes: 0 });
  await applyAddons(cluster.client, settings);
  await cluster.advance(1_000);
  const versions = async () =>
    Promise.all([
      cluster.client.get(deployment, dns).then(({ metadata }) => metadata.resourceVersion),
      cluster.client
        .get(daemonSet, { name: "kube-proxy", namespace: KUBE_SYSTEM })
        .then(({ metadata }) => metadata.resourceVersion),
    ]);
  const before = await versions();
  await applyAddons(cluster.client, settings);
  expect(await versions()).toEqual(before);
});

test("an upgrade changes the image, and leaves replicas and labels that somebody has set", async () => {
  await using cluster = await startCluster({ clock: "virtual", seed: "upgrade", nodes: 0 });
  await applyAddons(cluster.client, settings);
  await cluster.client.patch(deployment, dns, "strategic", {
    metadata: { labels: { team: "network" } },
    spec: { replicas: 5, template: { spec: { containers: [{ name: "coredns", image: "skiff.builtin/dns:old" }] } } },
  });
  await applyAddons(cluster.client, settings);
  const { metadata, spec } = await cluster.client.get(deployment, dns);
  expect([metadata.labels?.team, spec.replicas, spec.template.spec?.containers[0]?.image]).toEqual([
    "network",
    5,
    DNS_IMAGE,
  ]);
});

test("no pod is made before the nodes are ready", async () => {
  await using cluster = await startCluster({ clock: "virtual", seed: "early", nodes: 0 });
  const ready = Promise.withResolvers<void>();
  const applied = applyAddons(cluster.client, { ...settings, nodesReady: ready.promise });
  await cluster.until(async () => (await cluster.client.list(service, { namespace: KUBE_SYSTEM })).items.length === 1);
  expect((await cluster.client.list(deployment)).items).toEqual([]);
  ready.resolve();
  await applied;
  expect((await cluster.client.list(deployment)).items.length).toBe(1);
});
