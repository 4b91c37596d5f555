/**
 * Pods in one word each, for tables of tests.
 *
 * `name[@node][state…]`, where the states are `!` terminating, `+` ready, `#` failed, `~` phase Unknown, `?` Pending,
 * `*N` restarted N times, `$N` deletion cost, `^N` created N seconds ago (else 100), `%N` ready for N seconds (else 50).
 * Without `?`, `#` and `~` the pod runs if it has a node and is pending if it has none.
 */
import type { Pod } from "../../api/generated/core-v1.ts";
import { timestamp } from "../../machinery/object.ts";

export const NOTATION_NOW_MS = Date.UTC(2026, 0, 1);

const WORD = /^([a-z0-9-]+)(?:@([a-z0-9-]+))?(.*)$/;

export function podsFrom(text: string, labels: Readonly<Record<string, string>> = { app: "a" }): readonly Pod[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => podFrom(word, labels));
}

function podFrom(word: string, labels: Readonly<Record<string, string>>): Pod {
  const [, name = "", node, states = ""] = WORD.exec(word) ?? [];
  const has = (state: string) => states.includes(state);
  const numberAfter = (mark: string, otherwise: number) => {
    const found = new RegExp(`\\${mark}(-?\\d+)`).exec(states)?.[1];
    return found === undefined ? otherwise : Number(found);
  };
  const ago = (seconds: number) => timestamp(NOTATION_NOW_MS - seconds * 1000);
  const phase = has("#") ? "Failed" : has("~") ? "Unknown" : has("?") || node === undefined ? "Pending" : "Running";
  const isReady = has("+") || has("%");
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      creationTimestamp: ago(numberAfter("^", 100)),
      labels,
      ...(has("!") && { deletionTimestamp: ago(1) }),
      ...(has("$") && { annotations: { "controller.kubernetes.io/pod-deletion-cost": `${numberAfter("$", 0)}` } }),
    },
    spec: { containers: [], ...(node !== undefined && { nodeName: node }) },
    status: {
      phase,
      conditions: [
        { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: ago(numberAfter("%", 50)) },
      ],
      containerStatuses: [{ name: "c", ready: isReady, restartCount: numberAfter("*", 0), image: "", imageID: "" }],
    },
  };
}
