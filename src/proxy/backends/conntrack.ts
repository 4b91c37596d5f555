/**
 * Connection tracking remembers where a UDP client was sent, for as long as it keeps sending. When that endpoint goes, the
 * memory must go, or the client talks to nobody for ever. TCP needs nothing: its peer is told by a reset.
 */
import { frontendOf } from "./affinity.ts";
import type { Element } from "./elements.ts";
import type { Change, ElementTable } from "./elementTable.ts";

/** Above this one command wipes all UDP of the node, rather than one command for each. */
const WIPES_MAX = 64;

/** Arguments for `conntrack`, one list per memory to be wiped, after `change` has made the table what it is. Pure. */
export function staleUdpEntries({ added, removed }: Change, table: ElementTable): string[][] {
  const gone = removed.filter(
    (one) => one.set === "endpoints" && isUdp(one) && !table.serves(frontendOf(one.key), one.value),
  );
  // What was sent before the Service had endpoints, or existed, went elsewhere and would go on doing so.
  const openBefore = new Set(removed.filter(({ set }) => set === "services").map(({ key }) => key));
  const opened = added.filter((one) => one.set === "services" && isUdp(one) && !openBefore.has(one.key));
  const wipes = [...gone.map(endpointArguments), ...opened.map(({ key }) => frontendArguments(key))];
  const distinct = [...new Map(wipes.map((args) => [args.join(" "), args])).values()];
  return distinct.length > WIPES_MAX ? [["-D", "-p", "udp"]] : distinct;
}

const isUdp = ({ key }: Element): boolean => key.includes(" . udp . ");

function frontendArguments(key: string): string[] {
  const [address = "", , port = ""] = key.split(" . ");
  return ["-D", "-p", "udp", "--orig-dst", address, "--orig-port-dst", port];
}

function endpointArguments({ key, value }: Element): string[] {
  const [address = "", port = ""] = value.split(" . ");
  return [...frontendArguments(key), "--reply-src", address, "--reply-port-src", port];
}
