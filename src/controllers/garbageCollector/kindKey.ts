import type { AnyKind } from "../../machinery/defineKind.ts";

export type KindRef = AnyKind;

export const kindKey = ({ group, plural }: { readonly group: string; readonly plural: string }): string =>
  `${group}/${plural}`;
