/**
 * Small steps of which defaulting is made. Each returns what it was given when nothing changes, so that an object that
 * is complete already stays the same object.
 */

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const isMissing = (value: unknown, fallback: unknown): boolean =>
  isAbsent(value) || (value === "" && typeof fallback === "string");

/** Fills in fields that are left out; an empty text counts as left out where the default is a text. */
export function withMissing<T extends object>(object: T, defaults: Partial<T>): T {
  const missing = Object.entries(defaults).filter(([key, fallback]) =>
    isMissing((object as Record<string, unknown>)[key], fallback),
  );
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

/** As `withMissing`, for what Go holds by pointer, for which an empty text is a value like any other. */
export function withMissingPointers<T extends object>(object: T, defaults: Partial<T>): T {
  const missing = Object.entries(defaults).filter(([key]) => isAbsent((object as Record<string, unknown>)[key]));
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

/** As `withMissing`, for plain numbers, whose 0 Go cannot tell from nothing. */
export function withMissingOrZero<T extends object>(object: T, defaults: Partial<T>): T {
  const missing = Object.entries(defaults).filter(([key]) => !(object as Record<string, unknown>)[key]);
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

/** The object with one field passed through `change`, when it is there. */
export function withField<T extends object, K extends keyof T>(
  object: T,
  key: K,
  change: (value: NonNullable<T[K]>) => T[K],
): T {
  const value = object[key];
  if (value === undefined || value === null) return object;
  const changed = change(value);
  return changed === value ? object : { ...object, [key]: changed };
}

/** A list with each element passed through `change`. */
export function mapSame<T>(list: readonly T[], change: (element: T, index: number) => T): readonly T[] {
  let changed: T[] | undefined;
  list.forEach((element, index) => {
    const next = change(element, index);
    if (next === element) return;
    changed ??= [...list];
    changed[index] = next;
  });
  return changed ?? list;
}

/** `withField` for a field that is a list: each element is passed through `change`. */
export function withEach<T extends object, K extends keyof T>(
  object: T,
  key: K,
  change: (element: ElementOf<T[K]>) => ElementOf<T[K]>,
): T {
  return withField(object, key, (list) => mapSame(list as readonly ElementOf<T[K]>[], change) as T[K]);
}

type ElementOf<L> = NonNullable<L> extends readonly (infer E)[] ? E : never;
