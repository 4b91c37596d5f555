import type { Node } from "../api/generated/core-v1.ts";
import { node as nodeKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";

const isReady = ({ status }: Node) =>
  status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;

/** Resolves when all named nodes are Ready. */
export async function untilNodesReady(client: Client, names: readonly string[]): Promise<void> {
  const ready = new Map<string, boolean>();
  const isOver = () => names.every((name) => ready.get(name) === true);
  for (;;) {
    const list = await client.list(nodeKind);
    for (const node of list.items) ready.set(node.metadata.name, isReady(node));
    if (isOver()) return;
    const events = await client.watch(nodeKind, { resourceVersion: list.metadata.resourceVersion ?? "" });
    for await (const batch of events) {
      for (const { type, object } of batch)
        if (type === "ADDED" || type === "MODIFIED") ready.set(object.metadata.name, isReady(object));
      if (isOver()) return;
    }
  }
}
