/**
 * The wires of one cluster on one machine:
 *
 *   host ── uplink ── fabric (a namespace that only routes) ── one veth pair per node ── node ── one per pod ── pod
 *
 * Pod and service addresses are the same in every cluster, so the host never routes them: it knows one /24 of the
 * cluster's own, with its nodes and load balancers, and one masquerade rule. The fabric knows which node has which pods.
 *
 * Invariants: names follow from the cluster's name and run directory, so all can be found and removed by whoever comes after a crash;
 * `createClusterNetwork` keeps what is right and makes what is missing, so pods that outlived us stay connected.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { CommandError, inNamespace, type RunCommand, runCommand } from "../backends/command.ts";
import { clusterNames, type LinkAddresses, linkAddresses, linkCandidates } from "./addresses.ts";
import { admitScript, withdrawScript } from "./foreignFirewall.ts";
import { FORWARDING_MARK, type HostLink, hostTableScript, hostUplinkScript } from "./hostLink.ts";
import { connectNode, type NodeNetworkInput } from "./nodeNetwork.ts";
import { writeSysctls } from "./nodeScript.ts";

export interface ClusterNetworkInput {
  readonly cluster: string;
  /** A folder of the cluster's own that is gone after a reboot. */
  readonly runDirectory: string;
  readonly nodes: readonly NodeNetworkInput[];
  readonly serviceCidr: string;
  /** All pods of the cluster; every node's `podCidr` is a part of it. */
  readonly podCidr?: string;
  readonly run?: RunCommand;
}

export interface ClusterNetwork {
  readonly link: LinkAddresses;
  /** Address of each node by name; the host reaches it. */
  readonly nodeIPs: ReadonlyMap<string, string>;
  /** The range for load balancers' addresses; the host reaches it. */
  readonly loadBalancerRange: string;
  /** The host's address as nodes and pods see it. */
  readonly hostIP: string;
}

/** Source: kind's default podSubnet. */
export const POD_CIDR_DEFAULT = "10.244.0.0/16";

/** @throws CommandError when a tool is missing or refuses; Error when no range is free. */
export async function createClusterNetwork(input: ClusterNetworkInput): Promise<ClusterNetwork> {
  const { cluster, nodes, serviceCidr, podCidr = POD_CIDR_DEFAULT, run = runCommand } = input;
  const runDirectory = resolve(input.runDirectory);
  const { fabricPath, fresh } = await ensureFabric(cluster, runDirectory, run);
  const link = linkAddresses(await ensureUplink(cluster, runDirectory, fabricPath, run));
  await changeFirewalls(admitScript, clusterNames(cluster, runDirectory).uplink, run);
  const connection = { link, fabricPath, fresh, clusterPodCidr: podCidr, serviceCidr, run };
  await Promise.all(nodes.map((node) => connectNode({ node, ...connection })));
  return {
    link,
    nodeIPs: new Map(nodes.map((node) => [node.name, link.node(node.index)])),
    loadBalancerRange: link.loadBalancers,
    hostIP: link.host,
  };
}

/** Takes away everything of the cluster's that is on the host and in its fabric; what is already gone is fine. */
export async function destroyClusterNetwork(input: {
  readonly cluster: string;
  readonly runDirectory: string;
  readonly run?: RunCommand;
}): Promise<void> {
  const { cluster, run = runCommand } = input;
  const runDirectory = resolve(input.runDirectory);
  const { uplink, table } = clusterNames(cluster, runDirectory);
  await restoreForwarding(table, run);
  await changeFirewalls(withdrawScript, uplink, run);
  await run(["nft", "-f", "-"], `add table ip ${table}\ndelete table ip ${table}\n`);
  await unlessMissing(run(["ip", "link", "delete", uplink]));
  await unpinFabric(runDirectory, run);
  await rm(rangeFile(runDirectory), { force: true });
}

export const fabricPathOf = (runDirectory: string): string => `${runDirectory}/fabric.net`;
const rangeFile = (runDirectory: string): string => `${runDirectory}/network.json`;

/** Makes the router's namespace, or finds it alive. */
async function ensureFabric(
  cluster: string,
  runDirectory: string,
  run: RunCommand,
): Promise<{ fabricPath: string; fresh: boolean }> {
  const fabricPath = fabricPathOf(runDirectory);
  const { uplink } = clusterNames(cluster, runDirectory);
  if (existsSync(fabricPath) || (await succeeds(run(["ip", "link", "show", uplink])))) {
    const alive = await succeeds(run(inNamespace(fabricPath, ["ip", "link", "show", "uplink"])));
    if (alive) return { fabricPath, fresh: false };
    await destroyClusterNetwork({ cluster, runDirectory, run });
  }
  await mkdir(runDirectory, { recursive: true });
  await writeFile(fabricPath, "");
  const script = writeSysctls({
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
  });
  await run(["unshare", `--net=${fabricPath}`, "sh", "-e"], `ip link set lo up\n${script}`);
  return { fabricPath, fresh: true };
}

/**
 * Connects the fabric to the host under a range that nobody uses. Adding the route fails when another cluster, starting
 * at the same moment, took the range: so the route is the claim.
 */
async function ensureUplink(
  cluster: string,
  runDirectory: string,
  fabricPath: string,
  run: RunCommand,
): Promise<string> {
  const names = clusterNames(cluster, runDirectory);
  const known = await readFile(rangeFile(runDirectory), "utf8").catch(() => undefined);
  if (known !== undefined) {
    const { range } = JSON.parse(known) as { range: string };
    await run(["nft", "-f", "-"], hostTableScript({ ...names, range }));
    return range;
  }
  for (const range of linkCandidates(`${cluster} ${runDirectory}`, await hostRoutes(run))) {
    if (!(await claim({ ...names, range }, fabricPath, run))) continue;
    await writeFile(rangeFile(runDirectory), JSON.stringify({ range }));
    return range;
  }
  throw new Error("no private /24 is free for the cluster's network: the host routes all of the candidates");
}

/** A firewall that lets nobody change its rules, or has just changed them itself, is left as it is. */
async function changeFirewalls(
  script: (listing: string, uplink: string) => string,
  uplink: string,
  run: RunCommand,
): Promise<void> {
  const changes = script(await run(["nft", "-j", "list", "ruleset"]), uplink);
  for (const change of changes.split(/(?<=\n)/)) {
    if (change !== "") await run(["nft", "-f", "-"], change).catch(() => undefined);
  }
}

async function claim(host: HostLink, fabricPath: string, run: RunCommand): Promise<boolean> {
  try {
    await run(["sh", "-e"], hostUplinkScript(host, fabricPath));
    return true;
  } catch (error) {
    await unlessMissing(run(["ip", "link", "delete", host.uplink]));
    if (error instanceof CommandError && error.stderr.includes("File exists")) return false;
    throw error;
  }
}

/** Everything that the host routes but for the default. */
async function hostRoutes(run: RunCommand): Promise<string[]> {
  const routes = JSON.parse((await run(["ip", "-4", "-j", "route", "show", "table", "all"])) || "[]") as {
    dst: string;
  }[];
  return routes.map(({ dst }) => dst).filter((dst) => dst !== "default" && dst !== "0.0.0.0/0");
}

async function unpinFabric(runDirectory: string, run: RunCommand): Promise<void> {
  const path = fabricPathOf(runDirectory);
  // Node namespaces of mounts may hold on to the fabric, so its wires are cut before it is let go.
  const links = await run(inNamespace(path, ["ip", "-j", "link", "show", "type", "veth"])).catch(() => "[]");
  const names = (JSON.parse(links || "[]") as { ifname: string }[]).map(({ ifname }) => `link delete ${ifname}\n`);
  // A wire may go by itself meanwhile, with the node at its other end: the others are cut all the same.
  if (names.length > 0) await unlessMissing(run(inNamespace(path, ["ip", "-force", "-batch", "-"]), names.join("")));
  while (await succeeds(run(["umount", path])));
  await rm(path, { force: true });
}

/** Turns the host's forwarding off again if we had turned it on and no cluster is left that needs it. */
async function restoreForwarding(table: string, run: RunCommand): Promise<void> {
  const own = await run(["nft", "list", "table", "ip", table]).catch(() => "");
  if (!own.includes(FORWARDING_MARK)) return;
  const tables = await run(["nft", "list", "tables", "ip"]);
  const others = tables.split("\n").filter((line) => line.startsWith("table ip skiff-") && !line.endsWith(` ${table}`));
  if (others.length === 0) await run(["sh", "-e"], writeSysctls({ "net/ipv4/ip_forward": "0" }));
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

const unlessMissing = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    (error: Error) => {
      if (!/Cannot find device|does not exist|No such/.test(error.message)) throw error;
    },
  );
