/** Section 6 of the scenario, the part that needs no containers: what people type every day, with simulated ones. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { createTestCluster, type TestCluster } from "./testCluster.ts";

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: 'web:1', ports: [{containerPort: 80}], env: [{name: A, value: "1"}]}]
`;

let cluster: TestCluster;
const kubectl = (words: string | readonly string[], input?: string) =>
  cluster.kubectl(words, input === undefined ? undefined : { input });
const fails = async (words: string | readonly string[], input?: string) => {
  const { code, stderr } = await cluster.tryKubectl(words, input === undefined ? undefined : { input });
  expect(code).toBe(1);
  return stderr;
};
const available = (name: string, count: number) =>
  eventually(
    () => cluster.get(`deployment ${name}`),
    ({ status }) => status.availableReplicas === count,
  );

beforeAll(async () => {
  cluster = await createTestCluster();
  await cluster.up("--runtime simulated");
  await cluster.apply(WEB);
  await available("web", 2);
});
afterAll(() => cluster?.delete());

describe("reading", () => {
  const cases: { name: string; words: string; want: RegExp }[] = [
    {
      name: "get",
      words: "get deployment web",
      want: /^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+2\/2\s+2\s+2\s+\d+s\n$/,
    },
    {
      name: "get -o wide",
      words: "get deployment web -o wide",
      want: /CONTAINERS\s+IMAGES\s+SELECTOR\n.*web\s+web:1\s+app=web/,
    },
    { name: "get -o name", words: "get deployment -o name", want: /^deployment\.apps\/web\n$/ },
    {
      name: "get -o jsonpath",
      words: "get deployment web -o jsonpath={.spec.template.spec.containers[0].image}",
      want: /^web:1$/,
    },
    { name: "get -o go-template", words: "get deployment web -o go-template={{.spec.replicas}}", want: /^2$/ },
    {
      name: "get -o custom-columns",
      words: "get deployment -o custom-columns=N:.metadata.name,R:.spec.replicas",
      want: /^N\s+R\nweb\s+2\n$/,
    },
    { name: "get -o yaml", words: "get deployment web -o yaml", want: /^apiVersion: apps\/v1\nkind: Deployment\n/ },
    { name: "get --show-labels -l", words: "get pods -l app=web --show-labels", want: /app=web,pod-template-hash=/ },
    { name: "get --sort-by", words: "get pods --sort-by=.metadata.name", want: /web-.*\n.*web-/ },
    {
      name: "get --field-selector",
      words: "get pods --field-selector=status.phase=Running -o name",
      want: /^(pod\/web-.*\n){2}$/,
    },
    {
      name: "get all",
      words: "get all",
      want: /pod\/web-[\s\S]*service\/kubernetes[\s\S]*deployment\.apps\/web[\s\S]*replicaset\.apps\/web-/,
    },
    {
      name: "describe deployment",
      words: "describe deployment web",
      want: /StrategyType:\s+RollingUpdate[\s\S]*Scaled up replica set web-\w+ from 0 to 2/,
    },
    { name: "describe node", words: "describe node", want: /Allocated resources:[\s\S]*Events:/ },
    {
      name: "explain",
      words: "explain deployment.spec.progressDeadlineSeconds",
      want: /FIELD: progressDeadlineSeconds <integer>[\s\S]*maximum time in seconds/,
    },
    { name: "explain --recursive", words: "explain pod.spec.containers --recursive", want: /livenessProbe\s+<Probe>/ },
    {
      name: "api-resources",
      words: "api-resources --api-group=apps",
      want: /daemonsets\s+ds\s+apps\/v1\s+true\s+DaemonSet/,
    },
    {
      name: "api-versions",
      words: "api-versions",
      want: /apps\/v1\n[\s\S]*rbac\.authorization\.k8s\.io\/v1\n[\s\S]*v1\n/,
    },
    { name: "version", words: "version", want: /Server Version: v1\.36\.\d+\+skiff/ },
    { name: "cluster-info", words: "cluster-info", want: /Kubernetes control plane.* is running at/ },
    { name: "logs of a deployment", words: "logs deployment/web", want: /^/ },
    { name: "auth can-i", words: "auth can-i delete pods", want: /^yes\n$/ },
    { name: "auth whoami", words: "auth whoami", want: /kubernetes-admin[\s\S]*system:masters/ },
    {
      name: "get events --sort-by",
      words: "get events --sort-by=.lastTimestamp",
      want: /ScalingReplicaSet\s+deployment\/web/,
    },
  ];
  for (const { name, words, want } of cases) test(name, async () => expect(await kubectl(words)).toMatch(want));
});

describe("changing", () => {
  test("apply twice changes nothing, and diff says so", async () => {
    expect(await kubectl("apply -f -", WEB)).toBe("deployment.apps/web unchanged\n");
    expect(await kubectl("diff -f -", WEB)).toBe("");
  });
  test("diff shows what would change, with exit code 1", async () => {
    const { code, stdout } = await cluster.tryKubectl("diff -f -", { input: WEB.replace("web:1", "web:2") });
    expect(code).toBe(1);
    expect(stdout).toMatch(/-\s+- image: web:1|-.*image: web:1/);
  });
  test("apply removes what an earlier apply had set", async () => {
    await kubectl("apply -f -", WEB.replace("{app: web}}\nspec", "{app: web, extra: one}}\nspec"));
    expect((await cluster.get("deployment web")).metadata.labels.extra).toBe("one");
    await kubectl("apply -f -", WEB);
    expect((await cluster.get("deployment web")).metadata.labels.extra).toBeUndefined();
  });
  test("server-side apply conflicts with another manager, and --force-conflicts takes over", async () => {
    const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {key: VALUE}\n";
    await kubectl("apply --server-side --field-manager=one -f -", manifest.replace("VALUE", "one"));
    const error = await fails("apply --server-side --field-manager=two -f -", manifest.replace("VALUE", "two"));
    expect(error).toContain('Apply failed with 1 conflict: conflict with "one": .data.key');
    await kubectl("apply --server-side --force-conflicts --field-manager=two -f -", manifest.replace("VALUE", "two"));
    expect((await cluster.get("configmap shared")).data.key).toBe("two");
  });
  test("label, annotate, scale, set env and set resources", async () => {
    expect(await kubectl("label deployment web tier=front")).toBe("deployment.apps/web labeled\n");
    expect(await kubectl("annotate deployment web note=hello")).toBe("deployment.apps/web annotated\n");
    expect(await kubectl("scale deployment web --replicas=3")).toBe("deployment.apps/web scaled\n");
    await available("web", 3);
    await kubectl("set env deployment/web B=2");
    await kubectl("set resources deployment/web --requests=cpu=10m");
    const { spec, metadata } = await cluster.get("deployment web");
    expect(metadata.labels.tier + metadata.annotations.note).toBe("fronthello");
    expect(spec.template.spec.containers[0]).toMatchObject({
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
      resources: { requests: { cpu: "10m" } },
    });
  });
  for (const [type, patch] of [
    ["json", '[{"op":"add","path":"/metadata/labels/by","value":"json"}]'],
    ["merge", '{"metadata":{"labels":{"by":"merge"}}}'],
    ["strategic", '{"metadata":{"labels":{"by":"strategic"}}}'],
  ] as const) {
    test(`patch --type=${type}`, async () => {
      await kubectl(["patch", "deployment", "web", `--type=${type}`, "-p", patch]);
      expect((await cluster.get("deployment web")).metadata.labels.by).toBe(type);
    });
  }
  test("edit writes back what the editor saved", async () => {
    const editor = join(cluster.home, "editor.sh");
    writeFileSync(editor, "#!/bin/sh\nsed -i 's/replicas: 3/replicas: 1/' \"$1\"\n");
    chmodSync(editor, 0o755);
    expect(await cluster.kubectl("edit deployment web", { env: { EDITOR: editor, KUBE_EDITOR: editor } })).toContain(
      "edited",
    );
    await available("web", 1);
  });
  test("create makes things of many kinds, also as a dry run", async () => {
    await kubectl("create configmap c --from-literal=a=b");
    await kubectl("create secret generic s --from-literal=password=x");
    await kubectl("create deployment d --image=d:1 --replicas=2 --port=80");
    await kubectl("create namespace other");
    await kubectl("create serviceaccount robot");
    await kubectl("create role reader --verb=get,list --resource=pods");
    await kubectl("create rolebinding robot-reads --role=reader --serviceaccount=default:robot");
    expect(await kubectl("create service clusterip svc --tcp=80:80 --dry-run=server -o name")).toBe("service/svc\n");
    expect(await fails("get service svc")).toContain('services "svc" not found');
    expect((await cluster.get("secret s")).data.password).toBe(Buffer.from("x").toString("base64"));
    await available("d", 2);
    expect(await kubectl("auth can-i list pods --as=system:serviceaccount:default:robot")).toBe("yes\n");
    expect((await cluster.tryKubectl("auth can-i delete pods --as=system:serviceaccount:default:robot")).stdout).toBe(
      "no\n",
    );
  });
  test("expose gives a Service an address and endpoints", async () => {
    expect(await kubectl("expose deployment d --port=80 --name=exposed")).toBe("service/exposed exposed\n");
    await eventually(
      () => kubectl("get endpointslices -l kubernetes.io/service-name=exposed"),
      (text) => /10\.244\.\d+\.\d+,10\.244/.test(text),
    );
    expect(await kubectl("describe service exposed")).toMatch(/IP:\s+10\.96\.\d+\.\d+[\s\S]*Endpoints:\s+10\.244/);
  });
  test("wait sees a condition, and a deletion", async () => {
    expect(await kubectl("wait --for=condition=Available deployment/d --timeout=30s")).toContain("condition met");
    const waiting = cluster.startKubectl("wait --for=delete configmap/c --timeout=30s");
    await kubectl("delete configmap c");
    expect((await waiting.finished).code).toBe(0);
  });
});

describe("deleting", () => {
  test("a Deployment goes with its ReplicaSet and pods", async () => {
    await kubectl("delete deployment d");
    await eventually(
      () => kubectl("get pods,replicasets -l app=d -o name"),
      (text) => text === "",
    );
  });
  test("--cascade=orphan leaves the pods, foreground waits for them", async () => {
    await kubectl("create deployment o --image=o:1");
    await available("o", 1);
    await kubectl("delete deployment o --cascade=orphan");
    const { items } = await cluster.get("replicasets -l app=o");
    expect(items).toHaveLength(1);
    expect(items[0].metadata.ownerReferences).toBeUndefined();
    await kubectl(`delete replicaset ${items[0].metadata.name} --cascade=foreground`);
    expect(await kubectl("get pods -l app=o -o name")).toBe("");
  });
  test("a namespace goes with everything in it", async () => {
    await kubectl("create configmap inside -n other --from-literal=a=b");
    await kubectl("delete namespace other");
    expect(await fails("get configmap inside -n other")).toContain("not found");
  });
});

describe("nodes", () => {
  test("taint keeps pods away, and says why", async () => {
    await kubectl(`taint node ${cluster.node} only=me:NoSchedule`);
    await kubectl("run refused --image=r:1");
    await eventually(
      () => kubectl("describe pod refused"),
      (text) => text.includes("0/1 nodes are available: 1 node(s) had untolerated taint(s)"),
    );
    await kubectl(`taint node ${cluster.node} only-`);
    await kubectl("wait --for=condition=Ready pod/refused --timeout=30s");
  });
  test("cordon, drain and uncordon", async () => {
    await kubectl(`cordon ${cluster.node}`);
    expect(await kubectl("get nodes")).toContain("Ready,SchedulingDisabled");
    expect(
      await kubectl(`drain ${cluster.node} --ignore-daemonsets --force --delete-emptydir-data --timeout=60s`),
    ).toContain("drained");
    await eventually(
      () => kubectl("get pods -l app=web"),
      (text) => /Pending/.test(text),
    );
    await kubectl(`uncordon ${cluster.node}`);
    await available("web", 1);
  });
});

describe("errors are upstream's", () => {
  const cases: { name: string; words: string | readonly string[]; input?: string; want: string }[] = [
    {
      name: "of what is not there",
      words: "get pod nothing",
      want: 'Error from server (NotFound): pods "nothing" not found',
    },
    {
      name: "of logs of a deployment's name",
      words: "logs web",
      want: 'error: error from server (NotFound): pods "web" not found in namespace "default"',
    },
    {
      name: "of a kind that is not there",
      words: "get unicorns",
      want: 'the server doesn\'t have a resource type "unicorns"',
    },
    {
      name: "of what is there already",
      words: "create serviceaccount robot",
      want: 'serviceaccounts "robot" already exists',
    },
    {
      name: "of an invalid object",
      words: "create -f -",
      input: "apiVersion: v1\nkind: Pod\nmetadata: {name: UPPER}\nspec: {containers: [{name: c, image: i}]}",
      want: 'Pod "UPPER" is invalid: metadata.name: Invalid value: "UPPER": a lowercase RFC 1123 subdomain must consist of',
    },
    {
      name: "of an unknown field",
      words: "create -f -",
      input:
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, imagePolicy: x}]}",
      want: 'strict decoding error: unknown field "spec.containers[0].imagePolicy"',
    },
    {
      name: "of what a user may not",
      words: "get pods --as=bob",
      want: 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
    },
    {
      name: "of an immutable selector",
      words: ["patch", "deployment", "web", "-p", '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'],
      want: "is invalid",
    },
    {
      name: "of a namespace that is not there",
      words: "create configmap x -n nowhere",
      want: 'namespaces "nowhere" not found',
    },
  ];
  for (const { name, words, input, want } of cases)
    test(name, async () => expect(await fails(words, input)).toContain(want));
});
