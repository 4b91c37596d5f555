/** When tolerations cover taints, for all who ask: scheduler, controllers and kubelet. */

export interface TaintLike {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export interface TolerationLike {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

const isInteger = (text: string | undefined) => /^(0|-?[1-9]\d*)$/.test(text ?? "");

/** Source: component-helpers scheduling/corev1, Toleration.ToleratesTaint. */
export function tolerates(toleration: TolerationLike, taint: TaintLike): boolean {
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

export const isTolerated = (taint: TaintLike, tolerations: readonly TolerationLike[] | undefined): boolean =>
  (tolerations ?? []).some((toleration) => tolerates(toleration, taint));
