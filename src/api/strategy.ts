/** Steps that many kinds' strategies share. */
import type { WriteContext } from "../machinery/defineKind.ts";
import type { KubeObject } from "../machinery/object.ts";

interface WithStatus extends KubeObject {
  readonly status?: unknown;
}

/** What is true of an object is found out, not told. */
export function withoutStatus<T extends WithStatus>(object: T): T {
  if (object.status === undefined) return object;
  const { status: _, ...rest } = object;
  return rest as T;
}

/** A write of the status leaves the labels alone. Source: deployment strategy.go and others, PrepareForUpdate. */
export function keepLabelsOnStatus<T extends KubeObject>(next: T, previous: T, { subresource }: WriteContext): T {
  const { labels } = previous.metadata;
  if (subresource !== "status" || next.metadata.labels === labels) return next;
  const { labels: _, ...metadata } = next.metadata;
  return { ...next, metadata: { ...metadata, ...(labels !== undefined && { labels }) } };
}
