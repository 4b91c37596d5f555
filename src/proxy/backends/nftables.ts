/**
 * Services on nftables. One flat map leads from (address, protocol, port, slot) to an endpoint; a chain per *number* of
 * endpoints draws the slot, so that 10,000 Services share a handful of chains.
 *
 * Invariants:
 * - Every change is one transaction: no packet sees half of it.
 * - Only differences are sent; a whole load happens at the start and after a failure, and breaks no connection.
 * - The table's content is what `known` says, or `known` is undefined.
 *
 * Worked history: web has pods a and b. `services` 10.96.0.9 . tcp . 80 : goto pick-2; `endpoints` … . 0 : a, … . 1 : b.
 * a goes: `services` becomes goto pick-1, slot 0 becomes b, slot 1 is deleted.
 */
import type { ServiceRules } from "../rules.ts";
import { staleAffinities, touchesAffinities } from "./affinity.ts";
import { inNamespace, type RunCommand, runCommand } from "./command.ts";
import { staleUdpEntries } from "./conntrack.ts";
import { ElementTable } from "./elementTable.ts";
import { changeScript, loadScript, TABLE, type TableConfig } from "./script.ts";

export interface NftablesConfig extends TableConfig {
  /** The namespace to work in, as a file; absent: the one this process is in. */
  readonly netnsPath?: string;
  readonly run?: RunCommand;
}

export interface ProxyBackend {
  /** Makes the node do what `rules` say. @throws CommandError when the kernel refused; the next call loads anew. */
  apply(rules: ServiceRules): Promise<void>;
  /** Takes everything away. */
  remove(): Promise<void>;
}

const DELETE_TABLE = `add table ip ${TABLE}\ndelete table ip ${TABLE}\n`;

/** Calls must not overlap. */
export function nftablesBackend(config: NftablesConfig): ProxyBackend {
  const node = inNode(config);
  let known: ElementTable | undefined;
  return {
    apply: async (rules) => {
      const first = known === undefined;
      const table = known ?? new ElementTable([config.nodeIP, "127.0.0.1"]);
      known = undefined;
      const change = table.update(rules);
      if (first) await node.load(loadScript(config, change));
      else await node.nft(changeScript(config, change));
      if (first || touchesAffinities(change, table)) await node.forgetAffinities(table);
      await node.forgetConnections(staleUdpEntries(change, table));
      known = table;
    },
    remove: async () => {
      known = undefined;
      await node.nft(DELETE_TABLE);
    },
  };
}

/** The commands, run where the node's network is. */
function inNode({ netnsPath, run = runCommand }: NftablesConfig) {
  const command = (argv: readonly string[], stdin?: string) => run(inNamespace(netnsPath, argv), stdin);
  const nft = async (script: string): Promise<void> => {
    if (script !== "") await command(["nft", "-f", "-"], script);
  };
  return {
    nft,
    /** Over what is there, which keeps affinities; a table of another layout is replaced, in the same transaction. */
    load: (script: string) => nft(script).catch(() => nft(DELETE_TABLE + script)),

    forgetAffinities: async (table: ElementTable): Promise<void> => {
      const stale = staleAffinities(await command(["nft", "-j", "list", "map", "ip", TABLE, "affinity"]), table);
      if (stale.length > 0) await nft(`delete element ip ${TABLE} affinity { ${stale.join(", ")} }\n`);
    },

    forgetConnections: async (wipes: readonly (readonly string[])[]): Promise<void> => {
      for (const args of wipes) {
        // It fails when there was no such entry, which is as good.
        await command(["conntrack", ...args]).catch((error: Error) => {
          if (!error.message.includes("0 flow entries")) throw error;
        });
      }
    },
  };
}
