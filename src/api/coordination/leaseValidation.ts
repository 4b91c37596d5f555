/** Source: apis/coordination/validation ValidateLeaseSpec; registry/coordination/lease strategy.go (v1.36). */
import { type FieldError, FieldPath, forbiddenField, invalid } from "../../machinery/fieldErrors.ts";
import { nonNegative, oneOf, qualifiedName } from "../checks.ts";
import type { Lease, LeaseSpec } from "../generated/coordination-v1.ts";

const specPath = new FieldPath("spec");
const STRATEGIES = ["OldestEmulationVersion"];

/** The field is named twice in the path, as upstream has it. Source: ValidateCoordinatedLeaseStrategy. */
function strategyErrors(strategy: string | undefined): FieldError[] {
  if (strategy === undefined) return [];
  const path = specPath.at("strategy", "strategy");
  return strategy.includes("/") ? qualifiedName(path, strategy) : oneOf(path, strategy, STRATEGIES);
}

export function validateLease({ spec }: Lease): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder }: LeaseSpec = spec ?? {};
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalid(specPath.at("leaseDurationSeconds"), leaseDurationSeconds, "must be greater than 0"));
  }
  errors.push(...nonNegative(specPath.at("leaseTransitions"), leaseTransitions), ...strategyErrors(strategy));
  if (preferredHolder && !strategy) {
    const reason = "may only be specified if `strategy` is defined";
    errors.push(forbiddenField(specPath.at("preferredHolder"), reason));
  }
  return errors;
}

/**
 * Coordinated leader election is off (CoordinatedLeaderElection, beta, not on by default): its fields are dropped
 * unless they are stored already.
 */
export function withoutCoordination(lease: Lease, previous?: Lease): Lease {
  if (lease.spec === undefined) return lease;
  const { strategy, preferredHolder, ...rest } = lease.spec;
  const keptStrategy = previous?.spec?.strategy === undefined ? undefined : strategy;
  const keptHolder = previous?.spec?.preferredHolder === undefined ? undefined : preferredHolder;
  if (keptStrategy === strategy && keptHolder === preferredHolder) return lease;
  const spec = {
    ...rest,
    ...(keptStrategy !== undefined && { strategy: keptStrategy }),
    ...(keptHolder !== undefined && { preferredHolder: keptHolder }),
  };
  return { ...lease, spec };
}
