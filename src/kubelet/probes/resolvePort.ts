import type { Container } from "../../api/generated/core-v1.ts";

/**
 * A port by number or by the name that the container gives it. Source: pkg/probe/util.go ResolveContainerPort.
 * @throws Error for a name that the container does not have.
 */
export function resolvePort(port: number | string | undefined, container: Container): number {
  const number = typeof port === "number" ? port : Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (named === undefined) throw new Error(`couldn't find port: ${port} in container ${container.name}`);
  return named.containerPort;
}
