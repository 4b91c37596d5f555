/**
 * Objects and their JSON bytes. What lies in the store is an object without its resourceVersion, for that is known only
 * once it has been written; `kind`, `apiVersion` and `metadata` come first, so that the served form is the stored bytes
 * with the resourceVersion put in at a known place, and nothing is stringified twice:
 *
 *     {"kind":"Pod","apiVersion":"v1","metadata":{                         "name":"web",…
 *     {"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7",   "name":"web",…
 */
import type { KubeObject } from "../../machinery/object.ts";
import type { Entry } from "../../storage/storage.ts";

interface StoredForm {
  readonly value: Uint8Array;
  /** Offset just behind `"metadata":{`. */
  readonly splice: number;
  readonly revisionField: string;
}

/** From an object of one revision to the stored bytes that it came from or went into. */
const storedForms = new WeakMap<object, StoredForm>();
/** From stored bytes to the object that they hold, so that the process that wrote it need not parse it. */
const objects = new WeakMap<Uint8Array, KubeObject>();
/** Bytes of everything that is not stored as it is served: other versions, lists of one, results of dry runs. */
const otherBytes = new WeakMap<object, Uint8Array>();

/** The same for them as items of lists. */
const otherItems = new WeakMap<object, Uint8Array>();

const encoder = new TextEncoder();
const METADATA = '"metadata":{';
const headOf = ({ kind, apiVersion }: KubeObject) =>
  `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},${METADATA}`;

/** The bytes to store, from which `objectOfEntry` later gives back this very object (with its resourceVersion). */
export function storedValueOf(object: KubeObject): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...unversioned } = metadata;
  const template = { kind, apiVersion, metadata: unversioned, ...rest } as KubeObject;
  const value = encoder.encode(JSON.stringify(template));
  objects.set(value, template);
  return value;
}

/** The object of a stored entry, with its resourceVersion; the same bytes always give the same object. */
export function objectOfEntry(entry: Entry): KubeObject {
  const known = objects.get(entry.value);
  const resourceVersion = String(entry.modRevision);
  if (known?.metadata.resourceVersion === resourceVersion) return known;
  const template = known ?? (JSON.parse(Buffer.from(entry.value).toString()) as KubeObject);
  const object = withResourceVersion(template, entry.value, resourceVersion);
  objects.set(entry.value, object);
  return object;
}

/** The same content at another revision, as a deletion shows the last state of an object. */
export function atRevision(object: KubeObject, revision: number): KubeObject {
  const form = storedForms.get(object);
  const resourceVersion = String(revision);
  if (form !== undefined) return withResourceVersion(object, form.value, resourceVersion);
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

function withResourceVersion(template: KubeObject, value: Uint8Array, resourceVersion: string): KubeObject {
  const object = { ...template, metadata: { ...template.metadata, resourceVersion } };
  const splice = spliceOffset(template, value);
  if (splice > 0) storedForms.set(object, { value, splice, revisionField: `"resourceVersion":"${resourceVersion}",` });
  return object;
}

/** 0 when the bytes are not laid out as ours are (another API server wrote them, say). */
function spliceOffset(template: KubeObject, value: Uint8Array): number {
  const head = headOf(template);
  for (let index = 0; index < head.length; index++) if (value[index] !== head.charCodeAt(index)) return 0;
  return value[head.length] === 0x22 ? head.length : 0;
}

/** JSON of an object, list or Status. */
export function jsonBytes(object: object): Uint8Array {
  const form = storedForms.get(object);
  if (form !== undefined) {
    const bytes = Buffer.allocUnsafe(jsonLength(object));
    writeStored(form, bytes, 0);
    return bytes;
  }
  const known = otherBytes.get(object);
  if (known !== undefined) return known;
  const bytes = encoder.encode(JSON.stringify(object));
  otherBytes.set(object, bytes);
  return bytes;
}

/** JSON of an object as a whole body, which ends with a line. Source: apimachinery serializer/json Encode. */
export function jsonLine(object: object): Uint8Array {
  const length = jsonLength(object);
  const bytes = Buffer.allocUnsafe(length + 1);
  bytes[writeJson(object, bytes, 0)] = NEWLINE;
  return bytes;
}

const NEWLINE = 0x0a;

/** How many bytes `writeJson` will write. */
export function jsonLength(object: object): number {
  const form = storedForms.get(object);
  return form === undefined ? jsonBytes(object).length : form.value.length + form.revisionField.length;
}

/** Writes an object's JSON into a larger buffer, without an intermediate copy. @returns the offset behind it. */
export function writeJson(object: object, into: Buffer, offset: number): number {
  const form = storedForms.get(object);
  if (form !== undefined) return writeStored(form, into, offset);
  const bytes = jsonBytes(object);
  into.set(bytes, offset);
  return offset + bytes.length;
}

function writeStored({ value, splice, revisionField }: StoredForm, into: Buffer, offset: number): number {
  into.set(value.subarray(0, splice), offset);
  into.write(revisionField, offset + splice, "latin1");
  into.set(value.subarray(splice), offset + splice + revisionField.length);
  return offset + value.length + revisionField.length;
}

/**
 * How many bytes `writeItem` will write. An item of a list of one kind says neither kind nor version, for the list does.
 * Source: the item types of built-in lists, whose TypeMeta is never filled in.
 */
export function itemLength(object: object): number {
  const form = storedForms.get(object);
  if (form === undefined) return itemBytes(object).length;
  return 1 + METADATA.length + form.value.length - form.splice + form.revisionField.length;
}

/** Writes an object as an item of a list. @returns the offset behind it */
export function writeItem(object: object, into: Buffer, offset: number): number {
  const form = storedForms.get(object);
  if (form === undefined) {
    const bytes = itemBytes(object);
    into.set(bytes, offset);
    return offset + bytes.length;
  }
  const { value, splice, revisionField } = form;
  let at = offset + into.write(`{${METADATA}${revisionField}`, offset, "latin1");
  into.set(value.subarray(splice), at);
  at += value.length - splice;
  return at;
}

function itemBytes(object: object): Uint8Array {
  const known = otherItems.get(object);
  if (known !== undefined) return known;
  const { kind: _, apiVersion: __, ...rest } = object as KubeObject;
  const bytes = encoder.encode(JSON.stringify(rest));
  otherItems.set(object, bytes);
  return bytes;
}
