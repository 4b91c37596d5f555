/** When a toleration covers a taint. Source: component-helpers scheduling/corev1, Toleration.ToleratesTaint. */
import type { Taint, Toleration } from "../api/generated/core-v1.ts";

const isInteger = (text: string | undefined) => /^(0|-?[1-9]\d*)$/.test(text ?? "");

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { effect = "", key = "", operator = "", value = "" } = toleration;
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  switch (operator) {
    case "":
    case "Equal":
      return value === (taint.value ?? "");
    case "Exists":
      return true;
    case "Lt":
      return isInteger(value) && isInteger(taint.value) && Number(taint.value) < Number(value);
    case "Gt":
      return isInteger(value) && isInteger(taint.value) && Number(taint.value) > Number(value);
    default:
      return false;
  }
}

export const isTolerated = (taint: Taint, tolerations: readonly Toleration[] | undefined): boolean =>
  (tolerations ?? []).some((toleration) => tolerates(toleration, taint));
