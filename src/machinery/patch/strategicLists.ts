/** Lists in strategic merge patches. Source: apimachinery util/strategicpatch/patch.go mergeSlice and its kin. */
import { failedPatch, isJsonObject, type Json, unprocessablePatch } from "./patchError.ts";
import {
  mergedMap,
  PATCH_DIRECTIVE,
  type PatchField,
  SET_ELEMENT_ORDER,
  unknownDirective,
} from "./strategicMergePatch.ts";

type List = readonly unknown[];

/** Merges by key (objects) or as a set (primitives), or takes the patch's primitives out of the list. */
export function mergedList(current: List, patch: List, field: PatchField, deletes: boolean): unknown[] {
  if (current.length === 0 && patch.length === 0) return [];
  if (!holdsObjects(current, patch)) {
    if (deletes) return current.filter((item) => !patch.includes(item));
    return inOrder([...new Set([...current, ...patch])], { order: patch, live: current, mergeKey: "" });
  }
  const { mergeKey } = field;
  if (mergeKey === "") throw failedPatch(`cannot merge lists without merge key for ${nameOf(field)}`);
  const { kept, items } = applyListDirectives(current as Json[], patch as Json[], mergeKey);
  const merged = mergeItems(kept, items, field);
  return inOrder(merged, { order: items, live: kept, mergeKey });
}

const nameOf = ({ schema }: PatchField): string => (schema.kind === "struct" ? schema.name : schema.kind);

/** All items must be of one sort. Source: sliceElementType. */
function holdsObjects(...lists: List[]): boolean {
  const sorts = new Set(
    lists.flat().map((item) => (Array.isArray(item) ? "list" : isJsonObject(item) ? "map" : typeof item)),
  );
  if (lists.some((list) => list.some(Array.isArray))) {
    throw unprocessablePatch(new Error("lists of lists are not supported"));
  }
  if (sorts.size > 1) throw failedPatch(`list element types are not identical: ${JSON.stringify(lists)}`);
  return sorts.has("map");
}

/** Takes `$patch: delete` and `$patch: replace` items out of the patch and does what they say. */
function applyListDirectives(current: readonly Json[], patch: readonly Json[], mergeKey: string) {
  let kept = current;
  let replaces = false;
  const items = patch.filter((item) => item[PATCH_DIRECTIVE] === undefined);
  for (const item of patch) {
    const directive = item[PATCH_DIRECTIVE];
    if (directive === undefined) continue;
    if (directive === "replace") replaces = true;
    else if (directive === "delete") {
      const key = keyOf(item, mergeKey);
      kept = kept.filter((one) => one[mergeKey] !== key);
    } else if (directive === "merge") throw failedPatch("merging lists cannot yet be specified in the patch");
    else throw unknownDirective(directive, item);
  }
  return { kept: replaces ? [] : kept, items };
}

/** Source: mergepatch.ErrNoMergeKey. */
function keyOf(item: unknown, mergeKey: string): unknown {
  if (!isJsonObject(item)) throw failedPatch(`expected a map[string]interface {}, but received a ${typeof item}`);
  const key = item[mergeKey];
  if (key !== undefined) return key;
  throw failedPatch(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
}

function mergeItems(kept: readonly Json[], items: readonly Json[], { mergeKey, schema }: PatchField): Json[] {
  const merged = [...kept];
  for (const item of items) {
    const key = keyOf(item, mergeKey);
    const index = merged.findIndex((one) => one[mergeKey] === key);
    const found = merged[index];
    if (found === undefined) merged.push(item);
    else merged[index] = mergedMap(found, item, schema);
  }
  return merged;
}

interface Order {
  /** The order that the patch wants, and that of the live list; items stand for themselves or by their merge key. */
  readonly order: List;
  readonly live: List;
  readonly mergeKey: string;
}

const positionIn = (list: List, item: unknown, mergeKey: string): number =>
  mergeKey === ""
    ? list.indexOf(item)
    : list.findIndex((one) => isJsonObject(one) && isJsonObject(item) && one[mergeKey] === item[mergeKey]);

/**
 * Items that the patch names come in its order, the others in the live order; the two are interleaved as the live
 * list has them. Source: normalizeElementOrder, mergeSortedSlice.
 */
function inOrder(merged: List, { order, live, mergeKey }: Order): unknown[] {
  if (mergeKey !== "") for (const item of merged) keyOf(item, mergeKey);
  const by = (list: List) => (a: unknown, b: unknown) => positionIn(list, a, mergeKey) - positionIn(list, b, mergeKey);
  const ours = merged.filter((item) => positionIn(order, item, mergeKey) >= 0).sort(by(order));
  const others = merged.filter((item) => positionIn(order, item, mergeKey) < 0).sort(by(live));
  return interleaved(others, ours, (item) => positionIn(live, item, mergeKey));
}

function interleaved(left: List, right: List, position: (item: unknown) => number): unknown[] {
  const result: unknown[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    const leftAt = position(left[l]);
    const rightAt = position(right[r]);
    if (leftAt >= 0 && rightAt >= 0 && leftAt < rightAt) result.push(left[l++]);
    else result.push(right[r++]);
  }
  return [...result, ...left.slice(l), ...right.slice(r)];
}

interface Ordering {
  readonly merged: List;
  readonly current: List;
  readonly items: List;
  readonly order: List;
  readonly field: PatchField;
}

/** Puts an already merged list into the order of `$setElementOrder`. */
export function listWithOrder({ merged, current, items, order, field: { mergeKey } }: Ordering): unknown[] {
  checkOrder(items, order, mergeKey);
  if (mergeKey !== "") for (const item of order) keyOf(item, mergeKey);
  return inOrder(merged, { order, live: liveOrder(merged, current, mergeKey), mergeKey });
}

/**
 * What upstream takes for the live order once items were deleted: new items move up into the places that became free,
 * since it deletes and appends within the same array.
 */
function liveOrder(merged: List, current: List, mergeKey: string): List {
  if (mergeKey === "") return current;
  const kept = current.filter((item) => positionIn(merged, item, mergeKey) >= 0);
  const added = merged.filter((item) => positionIn(current, item, mergeKey) < 0);
  return [...kept, ...added].slice(0, current.length);
}

/** The patch's items must stand in the order's order. Source: validatePatchWithSetOrderList. */
function checkOrder(items: List, order: List, mergeKey: string): void {
  if (order.length === 0) return;
  const wanted = items.filter((item) => !(isJsonObject(item) && item[PATCH_DIRECTIVE] !== undefined));
  let next = 0;
  for (const item of order) {
    if (next < wanted.length && positionIn([item], wanted[next], mergeKey) === 0) next += 1;
  }
  if (next === wanted.length) return;
  const name = SET_ELEMENT_ORDER.slice(0, -1);
  throw failedPatch(
    `The order in patch list:\n${JSON.stringify(items)}\n doesn't match ${name} list:\n${JSON.stringify(order)}\n`,
  );
}
