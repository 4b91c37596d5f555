/**
 * Load balancers' addresses lead to the first node, which passes on what it gets. For Services that let in what comes
 * from outside only where they have endpoints that would lose the client's address: theirs lead to a node with endpoints.
 */
import { inNamespace, type RunCommand, runCommand } from "../backends/command.ts";
import { overlaps } from "./addresses.ts";
import { fabricPathOf } from "./clusterNetwork.ts";
import { portName } from "./nodeNetwork.ts";

export interface BalancerNode {
  readonly index: number;
  readonly address: string;
}

export interface BalancerRoutesInput {
  readonly runDirectory: string;
  readonly loadBalancerRange: string;
  readonly run?: RunCommand;
}

/** Makes the router send each of these addresses to its node, and all others to the first one. Calls follow one another. */
export function balancerRoutes({ runDirectory, loadBalancerRange, run = runCommand }: BalancerRoutesInput) {
  const inFabric = (argv: readonly string[], stdin?: string) =>
    run(inNamespace(fabricPathOf(runDirectory), argv), stdin);
  let known: Map<string, string> | undefined;
  let last: Promise<void> = Promise.resolve();

  const change = async (wanted: ReadonlyMap<string, BalancerNode>): Promise<void> => {
    const present = known ?? presentRoutes(await inFabric(["ip", "-j", "route"]), loadBalancerRange);
    known = undefined;
    const script = routeScript(present, wanted);
    if (script !== "") await inFabric(["ip", "-force", "-batch", "-"], script);
    known = new Map([...wanted].map(([address, node]) => [address, node.address]));
  };
  return (wanted: ReadonlyMap<string, BalancerNode>): Promise<void> => {
    const changed = last.then(() => change(wanted));
    last = changed.catch(() => undefined);
    return changed;
  };
}

/** Addresses of the range that have a route of their own, each with its next hop. `listing` is what `ip -j route` prints. */
export function presentRoutes(listing: string, range: string): Map<string, string> {
  const routes = JSON.parse(listing || "[]") as readonly { readonly dst: string; readonly gateway?: string }[];
  return new Map(
    routes.flatMap(({ dst, gateway }) =>
      /^[\d.]+$/.test(dst) && gateway !== undefined && overlaps(dst, range) ? [[dst, gateway]] : [],
    ),
  );
}

/** For `ip -batch`. Pure. */
export function routeScript(present: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, BalancerNode>): string {
  const gone = [...present.keys()].filter((address) => !wanted.has(address));
  const changed = [...wanted].filter(([address, node]) => present.get(address) !== node.address);
  return [
    ...gone.map((address) => `route delete ${address}/32\n`),
    ...changed.map(
      ([address, node]) => `route replace ${address}/32 via ${node.address} dev ${portName(node.index)} onlink\n`,
    ),
  ].join("");
}
