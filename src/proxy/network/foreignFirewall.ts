/**
 * Firewalls of others on the machine, such as Docker's, ufw's and firewalld's, refuse to forward what they do not know.
 * Where one does, the cluster's wire is admitted: what comes from it, and the answers. Pure text for `nft -f -`.
 */
interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

interface NftRule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly handle: number;
  readonly comment?: string;
  readonly expr?: readonly Readonly<Record<string, unknown>>[];
}

interface Ruleset {
  readonly chains: readonly NftChain[];
  readonly rules: readonly NftRule[];
}

/** @param listing what `nft -j list ruleset` prints */
function parseRuleset(listing: string): Ruleset {
  const { nftables } = JSON.parse(listing || '{"nftables":[]}') as {
    nftables: readonly { readonly chain?: NftChain; readonly rule?: NftRule }[];
  };
  return {
    chains: nftables.flatMap(({ chain }) => chain ?? []),
    rules: nftables.flatMap(({ rule }) => rule ?? []),
  };
}

/** Admits the wire into every chain that would refuse it and does not admit it yet. */
export function admitScript(listing: string, uplink: string): string {
  const { chains, rules } = parseRuleset(listing);
  return chains
    .filter(({ family, hook }) => hook === "forward" && (family === "ip" || family === "inet"))
    .flatMap((chain) => {
      const own = rules.filter((rule) => isIn(rule, chain));
      if (own.some(({ comment }) => comment === uplink) || !refuses(chain, own)) return [];
      const place = `${chain.family} ${chain.table} ${chain.name}`;
      return [
        `insert rule ${place} oifname "${uplink}" ct state established,related accept comment "${uplink}"\n`,
        `insert rule ${place} iifname "${uplink}" accept comment "${uplink}"\n`,
      ];
    })
    .join("");
}

/** Takes back what `admitScript` has given. */
export const withdrawScript = (listing: string, uplink: string): string =>
  parseRuleset(listing)
    .rules.filter(({ comment }) => comment === uplink)
    .map(({ family, table, chain, handle }) => `delete rule ${family} ${table} ${chain} handle ${handle}\n`)
    .join("");

const isIn = (rule: NftRule, chain: NftChain): boolean =>
  rule.family === chain.family && rule.table === chain.table && rule.chain === chain.name;

/** By its policy, or by its last rule, as firewalld does. */
function refuses({ policy }: NftChain, rules: readonly NftRule[]): boolean {
  const last = rules.at(-1)?.expr?.at(-1) ?? {};
  return policy === "drop" || "reject" in last || "drop" in last;
}
