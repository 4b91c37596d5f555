/** What a resolv.conf says, as far as resolvers need it. */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** The last `search` wins, as resolv.conf(5) says. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split("\n").map((line) =>
    line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/),
  );
  const valuesOf = (keyword: string) => lines.filter(([first]) => first === keyword).map((words) => words.slice(1));
  return {
    nameservers: valuesOf("nameserver").flatMap((words) => words.slice(0, 1)),
    searches: valuesOf("search").at(-1) ?? [],
    options: valuesOf("options").flat(),
  };
}

/** On loopback there is something else in a node's network; and that network has no IPv6. */
const isOutOfReach = (address: string): boolean => /^127\.|^0\.0\.0\.0$|:/.test(address);

/**
 * Resolvers that a node can ask. A stub of the machine's own on a loopback address (systemd-resolved) is not there in a
 * node's network; its own upstreams stand in a file of its own, which the caller gives as `behindStub`.
 */
export function reachableNameservers(resolvConf: string, behindStub = ""): readonly string[] {
  const reachable = (text: string) => parseResolvConf(text).nameservers.filter((address) => !isOutOfReach(address));
  const direct = reachable(resolvConf);
  return direct.length > 0 ? direct : reachable(behindStub);
}

/** Resolvers that only the machine itself can ask. */
export const machineNameservers = (resolvConf: string): readonly string[] =>
  parseResolvConf(resolvConf).nameservers.filter(isOutOfReach);
