/** A stable network entry point: Services from pods, nodes and the host, on two nodes. */
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { canRunContainers, createTestCluster, type TestCluster } from "./testCluster.ts";

const NODE_PORT = randomInt(30_000, 32_768);

const server = (name: string, replicas: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: web
          image: tools:1
          command: [node, /app.ts]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
`;

const WEB = `${server("web", 3)}
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http, nodePort: ${NODE_PORT}}]
`;

/** One on each node, from which the others are reached. */
const client = (name: string, node: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers:
    - {name: box, image: 'tools:1', command: [sh, -c, "sleep 10000"]}
---
`;

/** Answers every datagram with its own name and what came. */
const UDP_SERVER = `
const { createSocket } = require("node:dgram");
const socket = createSocket("udp4", (data, from) => socket.send(process.env.HOSTNAME + " " + data, from.port, from.address));
socket.bind(5353);
process.on("SIGTERM", () => process.exit(0));
`;

const udpServer = (name: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: udp}}
spec:
  containers:
    - {name: udp, image: 'tools:1', command: [node, -e, ${JSON.stringify(UDP_SERVER.replaceAll("\n", " "))}]}
---
`;

/** Names of the pods that answered, one new connection each. */
const ask = (url: string, times: number) =>
  `const seen = []; for (let i = 0; i < ${times}; i++) seen.push((await (await fetch("${url}", { headers: { connection: "close" }, signal: AbortSignal.timeout(5000) })).json()).pod); console.log(JSON.stringify(seen));`;

const SPREAD_REQUESTS = 60;

describe.runIf(canRunContainers())("services", () => {
  let cluster: TestCluster;
  let addresses: string[];

  const inPod = (pod: string, script: string) =>
    cluster.kubectl(["exec", pod, "--", "node", "--input-type=module", "-e", script]);
  const podNames = async (selector: string): Promise<string[]> =>
    (await cluster.kubectl(`get pods -l ${selector} -o name`)).trim().replaceAll("pod/", "").split("\n").sort();
  const distinct = (json: string): string[] => [...new Set(JSON.parse(json) as string[])].sort();
  const fromHost = async (url: string): Promise<string> => {
    const response = await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(5000) });
    return ((await response.json()) as { pod: string }).pod;
  };

  beforeAll(async () => {
    cluster = await createTestCluster();
    await cluster.up("--nodes 2");
    await cluster.packTools();
    await cluster.apply(client("near", cluster.node) + client("far", `${cluster.name}-worker`) + WEB);
    await cluster.kubectl("rollout status deployment/web --timeout=60s");
    await cluster.kubectl("wait --for=condition=Ready pod/near pod/far --timeout=60s");
    const nodes = await cluster.get("nodes");
    addresses = nodes.items.map(
      ({ status }: { status: { addresses: { type: string; address: string }[] } }) =>
        status.addresses.find(({ type }) => type === "InternalIP")?.address,
    );
  });
  afterAll(() => cluster?.delete());

  test.each(["web", "web.default", "web.default.svc", "web.default.svc.cluster.local"])(
    "the name %s leads from a pod on each node to a pod that answers",
    async (name) => {
      const pods = await podNames("app=web");
      for (const pod of ["near", "far"]) {
        expect(pods).toEqual(expect.arrayContaining(distinct(await inPod(pod, ask(`http://${name}/`, 2)))));
      }
    },
  );

  test("connections to the cluster address spread over all pods, from pods and from nodes", async () => {
    const { spec } = await cluster.get("service web");
    expect(spec.clusterIP).toMatch(/^10\.96\./);
    const script = ask(`http://${spec.clusterIP}/`, SPREAD_REQUESTS);
    const pods = await podNames("app=web");
    expect(distinct(await inPod("near", script))).toEqual(pods);
    expect(distinct(await inPod("far", script))).toEqual(pods);
    for (const node of [cluster.node, `${cluster.name}-worker`]) {
      const answer = await cluster.inNode([process.execPath, "--input-type=module", "-e", script], node);
      expect(distinct(answer)).toEqual(pods);
    }
  });

  test("a NodePort answers the host at every node's address and on the loopback", async () => {
    const pods = await podNames("app=web");
    for (const address of [...addresses, "127.0.0.1"]) {
      expect(pods).toContain(await fromHost(`http://${address}:${NODE_PORT}/`));
    }
  });

  test("a LoadBalancer gets an address that the host and the pods reach", async () => {
    await cluster.kubectl("expose deployment web --name=balanced --type=LoadBalancer --port=80 --target-port=8080");
    const { status } = await eventually(
      () => cluster.get("service balanced"),
      (service) => service.status.loadBalancer.ingress !== undefined,
    );
    const { ip } = status.loadBalancer.ingress[0];
    expect(await cluster.kubectl("get service balanced")).toMatch(new RegExp(`LoadBalancer +\\S+ +${ip} +80:`));
    const pods = await podNames("app=web");
    expect(pods).toContain(await eventually(() => fromHost(`http://${ip}/`), Boolean));
    expect(pods).toEqual(expect.arrayContaining(distinct(await inPod("far", ask(`http://${ip}/`, 2)))));
  });

  test.each(["service/web", "deployment/web"])("port-forward to %s reaches one of its pods", async (target) => {
    const forward = cluster.startKubectl(["port-forward", target, target.startsWith("service") ? ":80" : ":8080"]);
    const [, port] = await forward.untilOutput(/Forwarding from 127\.0\.0\.1:(\d+) -> 8080/);
    expect(await podNames("app=web")).toContain(await fromHost(`http://127.0.0.1:${port}/`));
    await forward.stop();
  });

  test("the API server's proxy subresource reaches services and pods", async () => {
    const pods = await podNames("app=web");
    const raw = (path: string) => cluster.kubectl(["get", "--raw", `/api/v1/namespaces/default/${path}`]);
    expect(pods).toContain(JSON.parse(await raw("services/web:80/proxy/")).pod);
    expect(pods).toContain(JSON.parse(await raw("services/web:http/proxy/")).pod);
    expect(JSON.parse(await raw(`pods/${pods[0]}:8080/proxy/`)).pod).toBe(pods[0]);
    expect(await raw(`pods/${pods[0]}:8080/proxy/healthz`)).toBe("ok\n");
  });

  test("get endpoints, get endpointslices and describe agree with the pods", async () => {
    const pods = await cluster.get("pods -l app=web");
    const want = pods.items.map(({ status }: { status: { podIP: string } }) => `${status.podIP}:8080`).sort();
    const endpoints = await cluster.get("endpoints web");
    const inEndpoints = endpoints.subsets[0].addresses.map(({ ip }: { ip: string }) => `${ip}:8080`);
    const slices = await cluster.get("endpointslices -l kubernetes.io/service-name=web");
    const inSlices = slices.items[0].endpoints.map(({ addresses: [ip] }: { addresses: string[] }) => `${ip}:8080`);
    const described = /^Endpoints: +(.*)$/m.exec(await cluster.kubectl("describe service web"))?.[1]?.split(",");
    expect({ endpoints: inEndpoints.sort(), slices: inSlices.sort(), described: described?.sort() }).toEqual({
      endpoints: want,
      slices: want,
      described: want,
    });
    expect(await cluster.kubectl("get endpointslices -l kubernetes.io/service-name=web")).toMatch(
      /^NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\nweb-\w{5} +IPv4 +8080 +/,
    );
  });

  test("a headless service's name is the addresses of its pods, and its ports are SRV records", async () => {
    await cluster.kubectl("create service clusterip headless --clusterip=None --tcp=8080:8080");
    await cluster.kubectl(["patch", "service", "headless", "-p", '{"spec":{"selector":{"app":"web"}}}']);
    const pods = await cluster.get("pods -l app=web");
    const want = pods.items.map(({ status }: { status: { podIP: string } }) => status.podIP).sort();
    const script = `import { promises as dns } from "node:dns"; const name = "headless.default.svc.cluster.local";
      const srv = await dns.resolveSrv("_8080-8080._tcp." + name);
      console.log(JSON.stringify({ a: (await dns.resolve4(name)).sort(), ports: srv.map(({ port }) => port) }))`;
    const answer = await eventually(
      async () => JSON.parse(await inPod("far", script)),
      ({ a }) => a.length === want.length,
    );
    expect(answer).toEqual({ a: want, ports: want.map(() => 8080) });
  });

  test("with ClientIP affinity a client stays with one pod", async () => {
    await cluster.kubectl(
      "expose deployment web --name=sticky --port=80 --target-port=8080 --session-affinity=ClientIP",
    );
    const script = ask("http://sticky/", 20);
    const seen = await eventually(() => inPod("near", script), Boolean);
    expect(distinct(seen)).toHaveLength(1);
    expect(distinct(await inPod("near", script))).toEqual(distinct(seen));
  });

  test("a pod reaches itself through its Service", async () => {
    await cluster.apply(server("alone", 1));
    await cluster.kubectl("expose deployment alone --port=80 --target-port=8080");
    await cluster.kubectl("rollout status deployment/alone --timeout=60s");
    const [pod] = (await podNames("app=alone")) as [string];
    const seen = await eventually(() => inPod(pod, ask("http://alone/", 3)), Boolean);
    expect(distinct(seen)).toEqual([pod]);
  });

  test("UDP goes through a Service, and to the new pod once the old one is gone, also from the same port", async () => {
    await cluster.apply(udpServer("udp-1"));
    await cluster.kubectl("wait --for=condition=Ready pod/udp-1 --timeout=30s");
    await cluster.kubectl("expose pod udp-1 --name=udp --protocol=UDP --port=53 --target-port=5353");
    // One socket, asking on and on, prints each name that answers once.
    const script = `import { createSocket } from "node:dgram"; const socket = createSocket("udp4"); let last = "";
      socket.on("message", (data) => { const [name] = String(data).split(" "); if (name !== last) console.log(last = name); });
      socket.bind(40000, () => setInterval(() => socket.send("hi", 53, "udp.default.svc.cluster.local"), 50));`;
    const asking = cluster.startKubectl(["exec", "near", "--", "node", "--input-type=module", "-e", script]);
    await asking.untilOutput(/udp-1\n/);
    await cluster.kubectl("delete pod udp-1");
    await cluster.apply(udpServer("udp-2"));
    await asking.untilOutput(/udp-1\nudp-2\n/);
    await asking.stop();
  });

  test("nobody behind a Service: the connection is refused at once", async () => {
    await cluster.kubectl("create service clusterip nobody --tcp=80:80");
    const script = `const startedMs = performance.now();
      try { await fetch("http://nobody/"); } catch (error) { console.log(error.cause.code, performance.now() - startedMs < 3000); }`;
    // Until the nodes know it, the address leads nowhere.
    expect(
      await eventually(
        () => inPod("far", script),
        (text) => text === "ECONNREFUSED true\n",
      ),
    ).toBe("ECONNREFUSED true\n");
  });

  test("a pod whose readiness fails leaves the backends within a second, and comes back", async () => {
    const manifest = server("moody", 2).replace(
      "readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}",
      "readinessProbe: {exec: {command: [sh, -c, '! ls /tmp/sad']}, periodSeconds: 1, failureThreshold: 1}",
    );
    await cluster.apply(manifest);
    await cluster.kubectl("expose deployment moody --port=80 --target-port=8080");
    await cluster.kubectl("rollout status deployment/moody --timeout=60s");
    const [sad, other] = (await podNames("app=moody")) as [string, string];
    const columns = ["-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}{"\\n"}'];
    const readiness = cluster.startKubectl(["get", "pod", sad, "-w", ...columns]);
    await readiness.untilOutput(/^True\n/);
    await cluster.kubectl(["exec", sad, "--", "sh", "-c", "echo > /tmp/sad"]);
    await readiness.untilOutput(/False\n$/);
    const unreadyMs = performance.now();
    await eventually(
      async () => distinct(await inPod("near", ask("http://moody/", 20))),
      (pods) => pods.length === 1 && pods[0] === other,
    );
    const script = ask("http://moody/", SPREAD_REQUESTS);
    expect(distinct(await inPod("near", script))).toEqual([other]);
    expect((await cluster.get("endpoints moody")).subsets[0].notReadyAddresses).toHaveLength(1);
    // What the test itself does takes most of that: two programs in pods.
    expect(performance.now() - unreadyMs).toBeLessThan(5000);
    await cluster.kubectl(["exec", sad, "--", "rm", "/tmp/sad"]);
    await readiness.untilOutput(/False\nTrue\n$/);
    expect(
      await eventually(
        async () => distinct(await inPod("near", script)),
        (pods) => pods.length === 2,
      ),
    ).toEqual([sad, other]);
    await readiness.stop();
  });

  test("the endpoints follow scaling and deletion within a second", async () => {
    await cluster.apply(server("scaled", 1));
    await cluster.kubectl("expose deployment scaled --port=80 --target-port=8080");
    await cluster.kubectl("rollout status deployment/scaled --timeout=60s");
    const endpoints = cluster.startKubectl("get endpoints scaled -w");
    await endpoints.untilOutput(/scaled +[\d.]+:8080 /);
    await cluster.kubectl("scale deployment scaled --replicas=3");
    await cluster.kubectl("rollout status deployment/scaled --timeout=60s");
    const readyMs = performance.now();
    await endpoints.untilOutput(/scaled +([\d.]+:8080,){2}[\d.]+:8080 /);
    expect(performance.now() - readyMs).toBeLessThan(1000);
    await cluster.kubectl("scale deployment scaled --replicas=0");
    const scaledMs = performance.now();
    await endpoints.untilOutput(/:8080 +\w+\nscaled +<none> +\w+\n$/);
    expect(performance.now() - scaledMs).toBeLessThan(1000);
    await endpoints.stop();
  });

  test("pods on different nodes reach each other by address", async () => {
    await cluster.apply(
      `${server("pinned", 1)}`.replace("    spec:\n", `    spec:\n      nodeName: ${cluster.name}-worker\n`),
    );
    await cluster.kubectl("rollout status deployment/pinned --timeout=60s");
    const pods = await cluster.get("pods -l app=pinned");
    const { status, metadata } = pods.items[0];
    expect(status.podIP).toMatch(/^10\.244\.1\./);
    expect(distinct(await inPod("near", ask(`http://${status.podIP}:8080/`, 2)))).toEqual([metadata.name]);
    expect(await fromHost(`http://127.0.0.1:${NODE_PORT}/`)).toBeTruthy();
  });

  test("a mounted token authenticates at https://kubernetes.default.svc, and may what its account may", async () => {
    const script = `import { readFileSync } from "node:fs"; const folder = "/var/run/secrets/kubernetes.io/serviceaccount/";
      const authorization = "Bearer " + readFileSync(folder + "token", "utf8");
      const response = await fetch("https://kubernetes.default.svc/api/v1/namespaces/default/pods", { headers: { authorization } });
      const body = await response.json(); console.log(response.status, body.message ?? body.kind);`;
    const command = ["env", "NODE_EXTRA_CA_CERTS=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "node"];
    const call = (pod: string) => cluster.kubectl(["exec", pod, "--", ...command, "--input-type=module", "-e", script]);
    expect(await call("near")).toBe(
      '403 pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"\n',
    );
    await cluster.kubectl("create role reader --verb=list --resource=pods");
    await cluster.kubectl("create rolebinding reader --role=reader --serviceaccount=default:default");
    for (const pod of ["near", "far"]) {
      expect(
        await eventually(
          () => call(pod),
          (text) => text.startsWith("200"),
        ),
      ).toBe("200 PodList\n");
    }
  });
});
