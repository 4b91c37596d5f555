import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRun } from "../../lib/testCapabilities.ts";
import { inNamespace, type RunCommand, runCommand } from "../backends/command.ts";
import { nftablesBackend, type ProxyBackend } from "../backends/nftables.ts";
import { type Agent, namespaces } from "../backends/testing/namespaces.ts";
import { ruleCache } from "../ruleCache.ts";
import { service, slice } from "../serviceNotation.ts";
import { clusterNames } from "./addresses.ts";
import { type ClusterNetwork, createClusterNetwork, destroyClusterNetwork } from "./clusterNetwork.ts";
import { type PodNetwork, podNetwork } from "./podNetwork.ts";

const NEEDS = { root: true, programs: ["ip", "nft", "conntrack", "nsenter", "unshare"] };
const POD_CIDR = "10.244.0.0/16";
const SERVICE_CIDR = "10.96.0.0/16";
const cluster = "test";

/** A namespace that stands for the machine, so that tests neither touch it nor are touched by what else runs there. */
const onHost =
  (hostPath: string): RunCommand =>
  (argv, stdin) =>
    runCommand(inNamespace(hostPath, argv), stdin);

interface Node {
  readonly ip: string;
  readonly pods: PodNetwork;
  readonly proxy: ProxyBackend;
  readonly rules: ReturnType<typeof ruleCache>;
  readonly agent: Agent;
}

describe.runIf(canRun(NEEDS))("two nodes and three pods in namespaces of their own", () => {
  let world: Awaited<ReturnType<typeof namespaces>>;
  let network: ClusterNetwork;
  let host: Agent;
  let a: Node;
  let b: Node;
  const pods: Record<string, Agent> = {};
  const ips: Record<string, string> = {};
  const input = () => ({
    cluster,
    run: onHost(`${world.directory}/host`),
    runDirectory: `${world.directory}/run`,
    serviceCidr: SERVICE_CIDR,
    podCidr: POD_CIDR,
    nodes: ["a", "b"].map((name, index) => ({
      name,
      index,
      netnsPath: `${world.directory}/${name}`,
      podCidr: `10.244.${index}.0/24`,
    })),
  });

  async function makeNode(name: string, podCidr: string): Promise<Node> {
    const netnsPath = `${world.directory}/${name}`;
    const ip = network.nodeIPs.get(name) as string;
    await runCommand(["mkdir", "-p", `${world.directory}/run/${name}`]);
    return {
      ip,
      pods: await podNetwork({ runDirectory: `${world.directory}/run/${name}`, podCidr, netnsPath }),
      proxy: nftablesBackend({ nodeIP: ip, podCidr: POD_CIDR, netnsPath }),
      rules: ruleCache(name),
      agent: world.agent(name, netnsPath),
    };
  }

  async function makePod(name: string, node: Node, hostPort = 0): Promise<void> {
    const netnsPath = await world.add(name);
    const hostPorts = hostPort ? [{ hostPort, containerPort: 8080, protocol: "TCP", hostIp: "" }] : [];
    const attached = await node.pods.attach({ sandboxId: name, netnsPath, hostPorts });
    ips[name] = attached.ips[0] as string;
    const agent = world.agent(name, netnsPath);
    await agent.serve(8080);
    pods[name] = agent;
  }

  /** Both nodes' proxies do what these Services and slices say; %name% stands for a pod's address. */
  async function apply(services: ReturnType<typeof service>[], slices: string[]): Promise<void> {
    const view = {
      services,
      slices: slices.map((line, index) =>
        slice(
          line.replace(/%(\w+)%/g, (_, name) => ips[name] ?? ""),
          `${index}`,
        ),
      ),
    };
    await Promise.all([a, b].map((node) => node.proxy.apply(node.rules(view))));
  }

  beforeAll(async () => {
    world = await namespaces();
    await Promise.all([world.add("host"), world.add("a"), world.add("b")]);
    network = await createClusterNetwork(input());
    a = await makeNode("a", "10.244.0.0/24");
    b = await makeNode("b", "10.244.1.0/24");
    host = world.agent("host", `${world.directory}/host`);
    await Promise.all([makePod("p1", a, 9090), makePod("p2", a), makePod("p3", b)]);
  }, 30_000);

  afterAll(async () => {
    await destroyClusterNetwork(input());
    await world.close();
  });

  const from = (name: string): Agent => ({ host, a: a.agent, b: b.agent, ...pods })[name] as Agent;
  const LB = () => `${network.loadBalancerRange.split("/")[0]?.replace(/128$/, "129")}`;

  describe("addresses without a Service", () => {
    const cases = [
      { name: "pod to pod on the same node keeps its address", who: "p1", to: "p2", want: () => `p2 ${ips.p1}` },
      { name: "pod to pod on another node keeps its address", who: "p1", to: "p3", want: () => `p3 ${ips.p1}` },
      { name: "and back", who: "p3", to: "p1", want: () => `p1 ${ips.p3}` },
      { name: "a node reaches its pod", who: "a", to: "p1", want: () => `p1 ${a.ip}` },
      { name: "a node reaches a pod of another node", who: "a", to: "p3", want: () => `p3 ${a.ip}` },
    ];
    it.each(cases)("$name", async ({ who, to, want }) => {
      expect(await from(who).tcp(ips[to] as string, 8080)).toBe(want());
    });

    it("pods have addresses of their node's range", () => {
      expect(Object.values(ips).toSorted()).toEqual(["10.244.0.1", "10.244.0.2", "10.244.1.1"]);
    });

    it("a pod reaches the host, which sees the node", async () => {
      await host.serve(18_080, network.hostIP);
      expect(await pods.p1?.tcp(network.hostIP, 18_080)).toBe(`host ${a.ip}`);
    });

    it("a pod reaches the world beyond the host, which sees the host", async () => {
      const [outside, name] = [await world.add("outside"), "outside"];
      const link = [
        `link add ${name} type veth peer name eth0 netns ${outside}`,
        `address add 198.18.250.1/30 dev ${name}`,
      ];
      await input().run(["ip", "-batch", "-"], [...link, `link set ${name} up`, ""].join("\n"));
      try {
        const inside = ["address add 198.18.250.2/30 dev eth0", "link set eth0 up", ""].join("\n");
        await runCommand(inNamespace(outside, ["ip", "-batch", "-"]), inside);
        const agent = world.agent("outside", outside);
        await agent.serve(8080);
        expect(await pods.p3?.tcp("198.18.250.2", 8080)).toBe("outside 198.18.250.1");
      } finally {
        await input().run(["ip", "link", "delete", name]);
      }
    });

    it("a host port leads to its pod from the host, from the node and from the pod itself", async () => {
      expect(await host.tcp(a.ip, 9090)).toBe(`p1 ${network.hostIP}`);
      expect(await a.agent.tcp("127.0.0.1", 9090)).toBe(`p1 ${a.ip}`);
      expect(await pods.p1?.tcp(a.ip, 9090)).toBe(`p1 ${a.ip}`);
    });
  });

  describe("a Service with one endpoint, p3 on node b", () => {
    beforeAll(() =>
      apply(
        [
          service(
            "web 10.96.0.9 80@30080 53/UDP",
            { type: "LoadBalancer" },
            { loadBalancer: { ingress: [{ ip: LB() }] } },
          ),
        ],
        ["web 8080 %p3%@b"],
      ),
    );
    const cases = [
      {
        name: "from a pod of the other node, whose address is kept",
        who: "p1",
        to: () => "10.96.0.9:80",
        want: () => `p3 ${ips.p1}`,
      },
      { name: "from the endpoint itself, as the node", who: "p3", to: () => "10.96.0.9:80", want: () => `p3 ${b.ip}` },
      { name: "from the endpoint's node", who: "b", to: () => "10.96.0.9:80", want: () => `p3 ${b.ip}` },
      { name: "from the other node", who: "a", to: () => "10.96.0.9:80", want: () => `p3 ${a.ip}` },
      {
        name: "by node port of the node that has no endpoint",
        who: "host",
        to: () => `${a.ip}:30080`,
        want: () => `p3 ${a.ip}`,
      },
      { name: "by node port of the endpoint's node", who: "host", to: () => `${b.ip}:30080`, want: () => `p3 ${b.ip}` },
      { name: "by node port on the node's 127.0.0.1", who: "a", to: () => "127.0.0.1:30080", want: () => `p3 ${a.ip}` },
      {
        name: "by node port from a pod, through the other node",
        who: "p3",
        to: () => `${a.ip}:30080`,
        want: () => `p3 ${a.ip}`,
      },
      {
        name: "by the load balancer's address from the host",
        who: "host",
        to: () => `${LB()}:80`,
        want: () => `p3 ${a.ip}`,
      },
      {
        name: "by the load balancer's address from a pod",
        who: "p1",
        to: () => `${LB()}:80`,
        want: () => `p3 ${ips.p1}`,
      },
      {
        name: "but not on a port that it does not have",
        who: "p1",
        to: () => "10.96.0.9:81",
        want: () => "error ECONNREFUSED",
      },
    ];
    it.each(cases)("is reached $name", async ({ who, to, want }) => {
      const [address = "", port] = to().split(":");
      expect(await from(who).tcp(address, Number(port))).toBe(want());
    });
  });

  it("every endpoint gets some of the connections, from pods and nodes", async () => {
    await apply([service("web 10.96.0.9 80")], ["web 8080 %p1%@a %p2%@a %p3%@b"]);
    for (const client of [pods.p1, a.agent] as Agent[]) {
      const answers = await Promise.all(Array.from({ length: 60 }, () => client.tcp("10.96.0.9", 80)));
      expect([...new Set(answers.map((text) => text.split(" ")[0]))].toSorted()).toEqual(["p1", "p2", "p3"]);
    }
  });

  it("without endpoints TCP is reset and UDP refused, from pods, nodes and the host", async () => {
    await apply([service("web 10.96.0.9 80@30080 53/UDP")], ["web 8080"]);
    expect(await pods.p1?.tcp("10.96.0.9", 80)).toBe("error ECONNREFUSED");
    expect(await a.agent.tcp("10.96.0.9", 80)).toBe("error ECONNREFUSED");
    expect(await host.tcp(a.ip, 30_080)).toBe("error ECONNREFUSED");
    expect(await pods.p1?.udp("10.96.0.9", 53)).toBe("error ECONNREFUSED");
  });

  it("a UDP flow moves on when its endpoint goes", async () => {
    const dns = service("dns 10.96.0.10 53/UDP");
    await apply([dns], ["dns 8080/UDP %p2%@a"]);
    expect(await pods.p1?.udp("10.96.0.10", 53, 5000)).toBe(`p2 ${ips.p1}`);
    await apply([dns], ["dns 8080/UDP %p3%@b"]);
    expect(await pods.p1?.udp("10.96.0.10", 53, 5000)).toBe(`p3 ${ips.p1}`);
    await apply([dns], ["dns 8080/UDP"]);
    expect(await pods.p1?.udp("10.96.0.10", 53, 5000)).toBe("error ECONNREFUSED");
  });

  it("a client stays with its endpoint, and finds another when that goes", async () => {
    const sticky = service("web 10.96.0.9 80", { sessionAffinity: "ClientIP" });
    await apply([sticky], ["web 8080 %p1%@a %p2%@a %p3%@b"]);
    const first = (await pods.p2?.tcp("10.96.0.9", 80))?.split(" ")[0];
    for (let round = 0; round < 12; round++) {
      expect((await pods.p2?.tcp("10.96.0.9", 80))?.split(" ")[0]).toBe(first);
    }
    const others = [`%p1%@a`, `%p2%@a`, `%p3%@b`].filter((text) => !text.includes(first ?? ""));
    await apply([sticky], [`web 8080 ${others.join(" ")}`]);
    const second = (await pods.p2?.tcp("10.96.0.9", 80))?.split(" ")[0];
    expect(second).toMatch(/^p\d$/);
    expect(second).not.toBe(first);
    await apply([sticky], ["web 8080 %p1%@a %p2%@a %p3%@b"]);
    expect((await pods.p2?.tcp("10.96.0.9", 80))?.split(" ")[0]).toBe(second);
  });

  it("externalTrafficPolicy Local keeps the client's address and uses only the node's own endpoints", async () => {
    const local = service("web 10.96.0.9 80@30080", { externalTrafficPolicy: "Local" });
    await apply([local], ["web 8080 %p3%@b"]);
    expect(await host.tcp(b.ip, 30_080)).toBe(`p3 ${network.hostIP}`);
    expect(await host.tcp(a.ip, 30_080)).toBe("error ETIMEDOUT");
    expect(await pods.p1?.tcp(a.ip, 30_080)).toBe(`p3 ${ips.p1}`);
    const balanced = service(
      "web 10.96.0.9 80",
      { type: "LoadBalancer", externalTrafficPolicy: "Local" },
      { loadBalancer: { ingress: [{ ip: LB() }] } },
    );
    await apply([balanced], ["web 8080 %p3%@b"]);
    expect(await host.tcp(LB(), 80)).toBe(`p3 ${a.ip}`);
    await apply([balanced], ["web 8080 %p1%@a %p3%@b"]);
    expect(await host.tcp(LB(), 80)).toBe(`p1 ${network.hostIP}`);
  });

  it("loadBalancerSourceRanges shut out everybody else", async () => {
    const guarded = (range: string) =>
      service(
        "web 10.96.0.9 80",
        { type: "LoadBalancer", loadBalancerSourceRanges: [range] },
        { loadBalancer: { ingress: [{ ip: LB() }] } },
      );
    await apply([guarded("192.0.2.0/24")], ["web 8080 %p1%@a"]);
    expect(await host.tcp(LB(), 80)).toBe("error ETIMEDOUT");
    await apply([guarded(network.link.range)], ["web 8080 %p1%@a"]);
    expect(await host.tcp(LB(), 80)).toBe(`p1 ${a.ip}`);
  });

  it("a new proxy process loads over the old table without breaking connections, and keeps affinities", async () => {
    const sticky = service("web 10.96.0.9 80", { sessionAffinity: "ClientIP" });
    await apply([sticky], ["web 8080 %p1%@a %p2%@a"]);
    const first = (await pods.p2?.tcp("10.96.0.9", 80))?.split(" ")[0];
    a = { ...a, proxy: nftablesBackend({ nodeIP: a.ip, podCidr: POD_CIDR, netnsPath: `${world.directory}/a` }) };
    await apply([sticky], ["web 8080 %p1%@a %p2%@a"]);
    for (let round = 0; round < 6; round++) {
      expect((await pods.p2?.tcp("10.96.0.9", 80))?.split(" ")[0]).toBe(first);
    }
  });

  it("made a second time, everything stays connected and addresses are the same", async () => {
    const again = await createClusterNetwork(input());
    expect(again.link.range).toBe(network.link.range);
    expect(await pods.p1?.tcp(ips.p3 as string, 8080)).toBe(`p3 ${ips.p1}`);
    expect(await host.tcp(a.ip, 9090)).toBe(`p1 ${network.hostIP}`);
  });

  it("made again after the host lost its end, everything is connected again", async () => {
    await input().run(["ip", "link", "delete", clusterNames(cluster, input().runDirectory).uplink]);
    const again = await createClusterNetwork(input());
    expect(again.link.range).toBe(network.link.range);
    expect(await pods.p1?.tcp(ips.p3 as string, 8080)).toBe(`p3 ${ips.p1}`);
    expect(await host.tcp(a.ip, 9090)).toBe(`p1 ${network.hostIP}`);
  });

  it("a pod that is attached again stays connected", async () => {
    const attachment = { sandboxId: "p2", netnsPath: `${world.directory}/p2`, hostPorts: [] };
    const before = await runCommand(inNamespace(attachment.netnsPath, ["ip", "-o", "link", "show", "eth0"]));
    const restarted = await podNetwork({
      runDirectory: `${world.directory}/run/a`,
      podCidr: "10.244.0.0/24",
      netnsPath: `${world.directory}/a`,
    });
    expect(await restarted.attach(attachment)).toEqual({ ips: [ips.p2] });
    expect(await runCommand(inNamespace(attachment.netnsPath, ["ip", "-o", "link", "show", "eth0"]))).toBe(before);
    await runCommand(inNamespace(attachment.netnsPath, ["ip", "route", "delete", "default"]));
    expect(await restarted.attach(attachment)).toEqual({ ips: [ips.p2] });
    expect(await pods.p3?.tcp(ips.p2 as string, 8080)).toBe(`p2 ${ips.p3}`);
  });

  it("a pod inside the node process has an address that other pods reach", async () => {
    const {
      ips: [ip = ""],
    } = await a.pods.attach({ sandboxId: "dns" });
    await a.agent.serve(5353, ip);
    expect(await pods.p3?.tcp(ip, 5353)).toBe(`a ${ips.p3}`);
    await a.pods.detach("dns");
  });

  it("pods reach what is outside through a firewall that refuses to forward", async () => {
    await world.add("internet");
    const internet = world.agent("internet", `${world.directory}/internet`);
    const run = input().run;
    await run(
      ["sh", "-e"],
      `ip link add wan type veth peer name eth0 netns ${world.directory}/internet
ip address add 192.0.2.1/24 dev wan
ip link set wan up
nsenter --net=${world.directory}/internet ip address add 192.0.2.2/24 dev eth0
nsenter --net=${world.directory}/internet ip link set eth0 up
nft 'table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }'
`,
    );
    await internet.serve(80);
    expect(await pods.p1?.tcp("192.0.2.2", 80)).toBe("error ETIMEDOUT");
    await createClusterNetwork(input());
    await createClusterNetwork(input());
    expect(await pods.p1?.tcp("192.0.2.2", 80)).toBe("internet 192.0.2.1");
    expect((await run(["nft", "list", "ruleset"])).match(/ct state established,related accept/g)).toHaveLength(1);
    await run(["nft", "delete", "table", "ip", "filter"]);
  });

  it("a second cluster with the same pod addresses works beside it", async () => {
    const runDirectory = `${world.directory}/run2`;
    await world.add("other");
    const nodes = [{ name: "other", index: 0, netnsPath: `${world.directory}/other`, podCidr: "10.244.0.0/24" }];
    const second = await createClusterNetwork({
      cluster: `${cluster}-2`,
      runDirectory,
      nodes,
      serviceCidr: SERVICE_CIDR,
      run: input().run,
    });
    try {
      expect(second.link.range).not.toBe(network.link.range);
      const agent = world.agent("other", `${world.directory}/other`);
      await agent.serve(7000);
      expect(await host.tcp(second.nodeIPs.get("other") as string, 7000)).toBe(`other ${second.hostIP}`);
      expect(await host.tcp(a.ip, 9090)).toBe(`p1 ${network.hostIP}`);
    } finally {
      await destroyClusterNetwork({ cluster: `${cluster}-2`, runDirectory, run: input().run });
    }
  });

  it("a detached pod is gone, and its replacement has another address", async () => {
    await a.pods.detach("p2");
    await a.pods.detach("p2");
    expect(await runCommand(inNamespace(`${world.directory}/a`, ["ip", "route"]))).not.toContain(`${ips.p2} dev`);
    const replaced = await a.pods.attach({ sandboxId: "p4", netnsPath: await world.add("p4") });
    expect(replaced.ips).toEqual(["10.244.0.4"]);
  });
});

describe.runIf(canRun(NEEDS))("after a cluster is destroyed", () => {
  it("nothing of it is on the host, and destroying it again is fine", async () => {
    const world = await namespaces();
    const runDirectory = `${world.directory}/run`;
    const run = onHost(await world.add("host"));
    // Mounts are the whole machine's, where others may be at work.
    const commands = [
      "ip -o link",
      "ip route",
      "nft list ruleset",
      "cat /proc/sys/net/ipv4/ip_forward",
      `mount | grep ${world.directory}`,
    ];
    const trace = () => Promise.all(commands.map((command) => run(["sh", "-c", command])));
    try {
      const nodes = [{ name: "a", index: 0, netnsPath: await world.add("a"), podCidr: "10.244.0.0/24" }];
      await run(["sh", "-e"], "echo 0 > /proc/sys/net/ipv4/ip_forward\n");
      const foreign = "table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }";
      await run(["nft", "-f", "-"], foreign);
      const before = await trace();
      const input = { runDirectory, nodes, serviceCidr: SERVICE_CIDR, run };
      await createClusterNetwork({ cluster: "one", ...input });
      await createClusterNetwork({ cluster: "two", ...input, runDirectory: `${runDirectory}2`, nodes: [] });
      // As after a crash in the middle: nobody knows the range any more.
      await rm(`${runDirectory}/network.json`);
      await destroyClusterNetwork({ cluster: "one", ...input });
      expect(await run(["cat", "/proc/sys/net/ipv4/ip_forward"])).toBe("1\n");
      await destroyClusterNetwork({ cluster: "two", ...input, runDirectory: `${runDirectory}2` });
      await destroyClusterNetwork({ cluster: "two", ...input, runDirectory: `${runDirectory}2` });
      expect(await trace()).toEqual(before);
    } finally {
      await world.close();
    }
  });
});
