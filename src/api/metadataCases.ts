/** Metadata that is wrong in any kind, to be added to each kind's table of invalid objects. */
import type { InvalidCase } from "./invalidCases.ts";

export const SUBDOMAIN_REASON =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
export const LABEL_REASON =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
export const QUALIFIED_REASON =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
export const LABEL_VALUE_REASON =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const OWNER = { apiVersion: "v1", kind: "Pod", name: "a", uid: "1" };

/** Cases that do not depend on the kind; the base object is called `name` and is valid. */
export const METADATA_CASES: readonly InvalidCase[] = [
  ["no name", { "metadata.name": "" }, "metadata.name: Required value: name or generateName is required"],
  [
    "a label key with a blank",
    { "metadata.labels": { "a b": "x" } },
    `metadata.labels: Invalid value: "a b": ${QUALIFIED_REASON}`,
  ],
  [
    "a label key with two slashes",
    { "metadata.labels": { "a/b/c": "x" } },
    `metadata.labels: Invalid value: "a/b/c": a valid label key ${QUALIFIED_REASON.slice("name part ".length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
  ],
  [
    "a label value with a blank",
    { "metadata.labels": { a: "b c" } },
    `metadata.labels: Invalid value: "b c": ${LABEL_VALUE_REASON}`,
  ],
  [
    "a label value that is too long",
    { "metadata.labels": { a: "x".repeat(64) } },
    `metadata.labels: Invalid value: "${"x".repeat(64)}": must be no more than 63 bytes`,
  ],
  [
    "an annotation key with a blank",
    { "metadata.annotations": { "a b": "x" } },
    `metadata.annotations: Invalid value: "a b": ${QUALIFIED_REASON}`,
  ],
  [
    "annotations of more than 256 KiB",
    { "metadata.annotations": { a: "x".repeat(256 * 1024) } },
    "metadata.annotations: Too long: may not be more than 262144 bytes",
  ],
  [
    "an owner without a UID",
    { "metadata.ownerReferences": [{ ...OWNER, uid: "" }] },
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
  ],
  [
    "an owner without a kind",
    { "metadata.ownerReferences": [{ ...OWNER, kind: "" }] },
    'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
  ],
  [
    "an event as owner",
    { "metadata.ownerReferences": [{ ...OWNER, kind: "Event" }] },
    'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"1"}: /v1, Kind=Event is disallowed from being an owner',
  ],
  [
    "two controllers",
    {
      "metadata.ownerReferences": [
        { ...OWNER, controller: true },
        { ...OWNER, name: "b", uid: "2", controller: true },
      ],
    },
    'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"Pod","name":"a","uid":"1","controller":true},{"apiVersion":"v1","kind":"Pod","name":"b","uid":"2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b',
  ],
  [
    "a finalizer with a blank",
    { "metadata.finalizers": ["a b"] },
    `metadata.finalizers: Invalid value: "a b": ${QUALIFIED_REASON}`,
  ],
  [
    "finalizers that contradict each other",
    { "metadata.finalizers": ["orphan", "foregroundDeletion"] },
    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
  ],
  [
    "managed fields of an unknown operation",
    { "metadata.managedFields": [{ operation: "Patch", manager: "a" }] },
    'metadata.managedFields[0].operation: Invalid value: "Patch": must be `Apply` or `Update`',
  ],
  [
    "managed fields of a manager with a long name",
    { "metadata.managedFields": [{ operation: "Update", manager: "x".repeat(129) }] },
    "metadata.managedFields[0].manager: Too long: may not be more than 128 bytes",
  ],
  [
    "a negative generation",
    { "metadata.generation": -1 },
    "metadata.generation: Invalid value: -1: must be greater than or equal to 0",
  ],
];

/** For namespaced kinds. */
export const NAMESPACED_CASES: readonly InvalidCase[] = [
  ...METADATA_CASES,
  ["no namespace", { "metadata.namespace": "" }, "metadata.namespace: Required value"],
  [
    "a namespace with a dot",
    { "metadata.namespace": "a.b" },
    'metadata.namespace: Invalid value: "a.b": must not contain dots',
  ],
];

/** For kinds of the whole cluster. */
export const CLUSTER_CASES: readonly InvalidCase[] = [
  ...METADATA_CASES,
  [
    "a namespace where there is none",
    { "metadata.namespace": "a" },
    "metadata.namespace: Forbidden: not allowed on this type",
  ],
];
