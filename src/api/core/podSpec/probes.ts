/** Probes and lifecycle hooks. Source: core/validation validateProbe, validateHandler, validateLifecycle (v1.36). */
import { type FieldError, type FieldPath, forbiddenField, invalid, required } from "../../../machinery/fieldErrors.ts";
import { httpHeaderNameReasons, portNameReasons, portNumberReasons } from "../../../machinery/names.ts";
import { because, needed, nonNegative, oneOf } from "../../checks.ts";
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction } from "../../generated/core-v1.ts";

const SCHEMES = ["HTTP", "HTTPS"];

export const validatePort = (port: number | string, path: FieldPath): FieldError[] =>
  because(path, port, typeof port === "number" ? portNumberReasons(port) : portNameReasons(port));

const httpErrors = ({ path: url, port, scheme, httpHeaders }: HTTPGetAction, path: FieldPath): FieldError[] => [
  ...needed(path.at("path"), url),
  ...validatePort(port ?? 0, path.at("port")),
  ...oneOf(path.at("scheme"), scheme, SCHEMES),
  ...(httpHeaders ?? []).flatMap(({ name }) => because(path.at("httpHeaders"), name, httpHeaderNameReasons(name))),
];

function sleepErrors({ seconds }: SleepAction, graceSeconds: number | undefined, path: FieldPath): FieldError[] {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return [];
  const reason = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
  return [invalid(path, seconds, reason)];
}

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> & Pick<LifecycleHandler, "sleep">;

/** A handler has exactly one type; only the first one is looked at closely. */
function handlerErrors(handler: Handler, graceSeconds: number | undefined, path: FieldPath): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const given: [string, () => FieldError[]][] = [];
  if (exec) given.push(["exec", () => needed(path.at("exec", "command"), exec.command)]);
  if (httpGet) given.push(["httpGet", () => httpErrors(httpGet, path.at("httpGet"))]);
  if (tcpSocket) given.push(["tcpSocket", () => validatePort(tcpSocket.port ?? 0, path.at("tcpSocket", "port"))]);
  if (grpc) given.push(["grpc", () => validatePort(grpc.port ?? 0, path.at("grpc", "port"))]);
  if (sleep) given.push(["sleep", () => sleepErrors(sleep, graceSeconds, path.at("sleep"))]);
  if (given.length === 0) return [required(path, "must specify a handler type")];
  return given.flatMap(([name, check], index) =>
    index === 0 ? check() : [forbiddenField(path.at(name), "may not specify more than 1 handler type")],
  );
}

function probeErrors(probe: Probe, graceSeconds: number | undefined, path: FieldPath): FieldError[] {
  const { terminationGracePeriodSeconds: own } = probe;
  return [
    ...handlerErrors(probe, graceSeconds, path),
    ...nonNegative(path.at("initialDelaySeconds"), probe.initialDelaySeconds),
    ...nonNegative(path.at("timeoutSeconds"), probe.timeoutSeconds),
    ...nonNegative(path.at("periodSeconds"), probe.periodSeconds),
    ...nonNegative(path.at("successThreshold"), probe.successThreshold),
    ...nonNegative(path.at("failureThreshold"), probe.failureThreshold),
    ...(own !== undefined && own <= 0
      ? [invalid(path.at("terminationGracePeriodSeconds"), own, "must be greater than 0")]
      : []),
  ];
}

/** One success is enough to be alive or started. */
const oneSuccess = ({ successThreshold }: Probe, path: FieldPath): FieldError[] =>
  successThreshold === 1 ? [] : [invalid(path.at("successThreshold"), successThreshold ?? 0, "must be 1")];

interface Probed {
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

export function validateProbes(
  { livenessProbe, readinessProbe, startupProbe }: Probed,
  graceSeconds: number | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const [live, ready, start] = [path.at("livenessProbe"), path.at("readinessProbe"), path.at("startupProbe")];
  if (livenessProbe) {
    errors.push(...probeErrors(livenessProbe, graceSeconds, live), ...oneSuccess(livenessProbe, live));
  }
  if (readinessProbe) {
    errors.push(...probeErrors(readinessProbe, graceSeconds, ready));
    const own = readinessProbe.terminationGracePeriodSeconds;
    if (own !== undefined) {
      errors.push(invalid(ready.at("terminationGracePeriodSeconds"), own, "must not be set for readinessProbes"));
    }
  }
  if (startupProbe) {
    errors.push(...probeErrors(startupProbe, graceSeconds, start), ...oneSuccess(startupProbe, start));
  }
  return errors;
}

export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  graceSeconds: number | undefined,
  path: FieldPath,
): FieldError[] {
  const { postStart, preStop } = lifecycle ?? {};
  return [
    ...(postStart ? handlerErrors(postStart, graceSeconds, path.at("postStart")) : []),
    ...(preStop ? handlerErrors(preStop, graceSeconds, path.at("preStop")) : []),
  ];
}
