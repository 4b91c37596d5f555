/**
 * The table's content as we know it, and what each new set of rules changes in it. Costs what changed: services whose rule
 * is the same value are not looked at.
 *
 * An element may be claimed by several services: a pod that is behind two of them, an external address that two want. It
 * is there as long as one claims it; where they disagree, the service whose name comes first has it.
 *
 * Worked history: a and b claim "9.9.9.9 . tcp . 80", a has it. a goes: the element is deleted and added anew as b's.
 */
import type { ServiceRules } from "../rules.ts";
import {
  type Element,
  LOCAL_SLOTS,
  type Pick,
  type ServiceElements,
  type SetName,
  serviceElements,
} from "./elements.ts";

/** What turns the table as it was into the table as it must be. */
export interface Change {
  readonly removed: readonly Element[];
  readonly added: readonly Element[];
  /** Chains that have not been needed before, by name. */
  readonly picks: ReadonlyMap<string, Pick>;
  readonly affinitySeconds: readonly number[];
}

interface Claim {
  readonly service: string;
  readonly element: Element;
}

const claimKey = (set: SetName, key: string): string => `${set} ${key}`;

export class ElementTable {
  readonly #nodeAddresses: readonly string[];
  #services = new Map<string, ServiceElements>();
  /** First claim first: it is the one that holds. */
  readonly #claims = new Map<string, Claim[]>();
  readonly #picks = new Set<string>();
  readonly #affinitySeconds = new Set<number>();

  constructor(nodeAddresses: readonly string[]) {
    this.#nodeAddresses = nodeAddresses;
  }

  update(rules: ServiceRules): Change {
    const touched = new Map<string, Element | undefined>();
    const picks = new Map<string, Pick>();
    const affinitySeconds: number[] = [];
    const next = new Map<string, ServiceElements>();
    for (const [name, rule] of rules) {
      const before = this.#services.get(name);
      if (before?.rule === rule) {
        next.set(name, before);
        continue;
      }
      const made = serviceElements(rule, this.#nodeAddresses, before);
      next.set(name, made);
      for (const element of before?.elements ?? []) this.#unclaim(element, touched);
      for (const element of made.elements) this.#claim(name, element, touched);
      for (const [chain, pick] of made.picks) if (firstTime(this.#picks, chain)) picks.set(chain, pick);
      const seconds = made.affinitySeconds;
      if (seconds !== undefined && firstTime(this.#affinitySeconds, seconds)) affinitySeconds.push(seconds);
    }
    for (const [name, { elements }] of this.#services) {
      if (!next.has(name)) for (const element of elements) this.#unclaim(element, touched);
    }
    this.#services = next;
    return { ...this.#changed(touched), picks, affinitySeconds };
  }

  get(set: SetName, key: string): Element | undefined {
    return this.#claims.get(claimKey(set, key))?.[0]?.element;
  }

  /** Whether `target` ("ip . port") is behind the frontend, in whatever slot. */
  serves(frontend: string, target: string): boolean {
    return [0, LOCAL_SLOTS].some((first) => {
      for (let slot = first; ; slot++) {
        const element = this.get("endpoints", `${frontend} . ${slot}`);
        if (element === undefined) return false;
        if (element.value === target) return true;
      }
    });
  }

  /** Every element, sorted by nothing in particular. */
  all(): Element[] {
    return [...this.#claims.values()].flatMap(([claim]) => (claim === undefined ? [] : [claim.element]));
  }

  #claim(service: string, element: Element, touched: Map<string, Element | undefined>): void {
    const key = claimKey(element.set, element.key);
    const claims = this.#claims.get(key) ?? [];
    if (!touched.has(key)) touched.set(key, claims[0]?.element);
    const place = claims.findIndex((claim) => claim.service > service);
    claims.splice(place < 0 ? claims.length : place, 0, { service, element });
    this.#claims.set(key, claims);
  }

  #unclaim(element: Element, touched: Map<string, Element | undefined>): void {
    const key = claimKey(element.set, element.key);
    const claims = this.#claims.get(key) ?? [];
    if (!touched.has(key)) touched.set(key, claims[0]?.element);
    const left = claims.filter((claim) => claim.element !== element);
    if (left.length > 0) this.#claims.set(key, left);
    else this.#claims.delete(key);
  }

  /** Compares what was touched with what it had been before. */
  #changed(touched: ReadonlyMap<string, Element | undefined>): { removed: Element[]; added: Element[] } {
    const removed: Element[] = [];
    const added: Element[] = [];
    for (const [key, before] of touched) {
      const after = this.#claims.get(key)?.[0]?.element;
      if (before?.value === after?.value && (before === undefined) === (after === undefined)) continue;
      if (before !== undefined) removed.push(before);
      if (after !== undefined) added.push(after);
    }
    return { removed, added };
  }
}

function firstTime<T>(known: Set<T>, value: T): boolean {
  if (known.has(value)) return false;
  known.add(value);
  return true;
}
