/**
 * Connection tracking remembers where a UDP client was sent, for as long as it keeps sending. When that endpoint goes, the
 * memory must go, or the client talks to nobody for ever. TCP needs nothing: its peer is told by a reset.
 */
import { frontendOf } from "./affinity.ts";
import { difference, type Element, type Elements } from "./elements.ts";

/** Above this one command wipes all UDP of the node, rather than one command for each. */
const WIPES_MAX = 64;

/** Arguments for `conntrack`, one list per memory to be wiped. Pure. */
export function staleUdpEntries(previous: Elements, next: Elements): string[][] {
  const { added, removed } = difference(previous, next);
  const serving = new Set<string>();
  for (const element of next.elements.values()) {
    if (element.set === "endpoints" && isUdp(element)) serving.add(destination(element));
  }
  const gone = removed.filter((one) => one.set === "endpoints" && isUdp(one) && !serving.has(destination(one)));
  // What was sent before the Service had endpoints, or existed, went elsewhere and would go on doing so.
  const opened = added.filter(
    (one) => one.set === "services" && isUdp(one) && !previous.elements.has(`services ${one.key}`),
  );
  const wipes = [...gone.map(endpointArguments), ...opened.map(({ key }) => frontendArguments(key))];
  const distinct = [...new Map(wipes.map((args) => [args.join(" "), args])).values()];
  return distinct.length > WIPES_MAX ? [["-D", "-p", "udp"]] : distinct;
}

const isUdp = ({ key }: Element): boolean => key.includes(" . udp . ");

/** Frontend and endpoint, whatever the slot. */
const destination = ({ key, value }: Element): string => `${frontendOf(key)} ${value}`;

function frontendArguments(key: string): string[] {
  const [address = "", , port = ""] = key.split(" . ");
  return ["-D", "-p", "udp", "--orig-dst", address, "--orig-port-dst", port];
}

function endpointArguments({ key, value }: Element): string[] {
  const [address = "", port = ""] = value.split(" . ");
  return [...frontendArguments(key), "--reply-src", address, "--reply-port-src", port];
}
