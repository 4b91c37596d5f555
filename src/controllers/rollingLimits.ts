/** Counts given as numbers or percentages. Source: apimachinery util/intstr, GetScaledValueFromIntOrPercent. */

export function scaledCount(value: string | number | undefined, total: number, round: "up" | "down"): number {
  if (typeof value === "number") return value;
  const percent = /^(-?\d+)%$/.exec(value ?? "0%")?.[1];
  if (percent === undefined) throw new Error(`${value} is neither a number nor a percentage`);
  const exact = (total * Number(percent)) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}

export interface RollingLimits {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Both being 0 would never get on: then one may be unavailable. Source: deployment_util.go, ResolveFenceposts. */
export function rollingLimits(
  limits: { readonly maxSurge?: string | number; readonly maxUnavailable?: string | number } | undefined,
  replicas: number,
): RollingLimits {
  const maxSurge = scaledCount(limits?.maxSurge, replicas, "up");
  const maxUnavailable = scaledCount(limits?.maxUnavailable, replicas, "down");
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}
