import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../machinery/object.ts";
import { EventWindow } from "./eventWindow.ts";
import { ObjectIndex } from "./objectIndex.ts";
import { atRevision, jsonBytes, objectOfEntry, storedValueOf } from "./objectJson.ts";
import { type CacheEvent, type EventSink, SinkGroups } from "./sinkGroups.ts";
import { WatchQueue } from "./watchQueue.ts";

type Pod = KubeObject & { readonly spec: { readonly nodeName: string } };

const pod = (text: string): Pod => {
  const [place = "", nodeName = ""] = text.split("@");
  const [namespace = "", name = ""] = place.split("/");
  const metadata = { namespace, name, uid: "u", creationTimestamp: "", resourceVersion: "" };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { nodeName } } as Pod;
};
const readers = { "spec.nodeName": (object: KubeObject) => (object as Pod).spec.nodeName };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const shown = (objects: readonly KubeObject[]) =>
  objects
    .map((object) => `${object.metadata.namespace}/${object.metadata.name}@${(object as Pod).spec.nodeName}`)
    .join(" ");

describe("objects and their bytes", () => {
  const entryOf = (value: Uint8Array, modRevision: number) => ({ key: "k", value, createRevision: 1, modRevision });

  it("are stored without their revision, which is put in where they are served", () => {
    const value = storedValueOf(pod("ns/a@n"));
    expect(text(value)).not.toContain("resourceVersion");
    const object = objectOfEntry(entryOf(value, 7));
    expect(object.metadata.resourceVersion).toBe("7");
    expect(JSON.parse(text(jsonBytes(object)))).toEqual(object);
  });

  it("are one object for the same bytes, and are parsed where another process wrote them", () => {
    const value = storedValueOf(pod("ns/a@n"));
    expect(objectOfEntry(entryOf(value, 7))).toBe(objectOfEntry(entryOf(value, 7)));
    const foreign = objectOfEntry(entryOf(Uint8Array.from(value), 7));
    expect(foreign).toEqual(objectOfEntry(entryOf(value, 7)));
    expect(text(jsonBytes(foreign))).toBe(text(jsonBytes(objectOfEntry(entryOf(value, 7)))));
  });

  it("are understood in another order of fields too", () => {
    const value = Buffer.from('{"metadata":{"name":"ä"},"apiVersion":"v1","kind":"Pod"}');
    const object = objectOfEntry(entryOf(value, 3));
    expect(JSON.parse(text(jsonBytes(object)))).toEqual({
      metadata: { name: "ä", resourceVersion: "3" },
      apiVersion: "v1",
      kind: "Pod",
    });
  });

  it("are shown at the revision of their deletion", () => {
    const object = objectOfEntry(entryOf(storedValueOf(pod("ns/ä@n")), 7));
    expect(JSON.parse(text(jsonBytes(atRevision(object, 9))))).toEqual(atRevision(object, 9));
    expect(atRevision(object, 9).metadata.resourceVersion).toBe("9");
  });
});

describe("the index", () => {
  const filled = () => {
    const index = new ObjectIndex(readers);
    for (const each of ["b/x@n1", "a/z@n1", "a-b/m@n2", "a/b@n2"]) index.set(pod(each));
    return index;
  };

  const lists: [name: string, scope: Parameters<ObjectIndex["list"]>[0], want: string][] = [
    ["everything in key order", {}, "a-b/m@n2 a/b@n2 a/z@n1 b/x@n1"],
    ["a namespace", { namespace: "a" }, "a/b@n2 a/z@n1"],
    ["an object", { namespace: "a", name: "z" }, "a/z@n1"],
    ["no object", { namespace: "a", name: "y" }, ""],
    ["a value of a field", { field: { name: "spec.nodeName", value: "n1" } }, "a/z@n1 b/x@n1"],
    ["a value of a field in a namespace", { namespace: "a", field: { name: "spec.nodeName", value: "n1" } }, "a/z@n1"],
    [
      "a field that is not indexed as everything",
      { field: { name: "other", value: "n1" } },
      "a-b/m@n2 a/b@n2 a/z@n1 b/x@n1",
    ],
  ];
  it.each(lists)("lists %s", (_, scope, want) => {
    expect(shown(filled().list(scope))).toBe(want);
  });

  it("follows changes of an indexed field, and deletions", () => {
    const index = filled();
    const onFirst = () => shown(index.list({ field: { name: "spec.nodeName", value: "n1" } }));
    expect(onFirst()).toBe("a/z@n1 b/x@n1");
    index.set(pod("a/z@n3"));
    index.delete("b/x");
    expect(onFirst()).toBe("");
    expect(shown(index.list({}))).toBe("a-b/m@n2 a/b@n2 a/z@n3");
    expect(index.size).toBe(3);
  });

  it("gives lists that later changes do not touch", () => {
    const index = filled();
    const before = index.list({ namespace: "a" });
    index.delete("a/b");
    expect(shown(before)).toBe("a/b@n2 a/z@n1");
  });
});

const event = (revision: number, object = pod("ns/a@n1"), previous?: Pod): CacheEvent => ({
  type: "MODIFIED",
  key: "ns/a",
  object,
  previous,
  revision,
});

describe("the window of events", () => {
  it("keeps a hundred however old, and all of the last 75 seconds", () => {
    const window = new EventWindow();
    window.startAfter(10);
    for (let revision = 11; revision <= 310; revision += 1) window.push(event(revision), revision < 211 ? 0 : 80_000);
    expect(window.since(210).length).toBe(100);
    expect(() => window.since(209)).toThrow("too old resource version: 209 (210)");
    expect(window.since(310)).toEqual([]);
    expect(window.since(300).map(({ revision }) => revision)).toEqual([
      301, 302, 303, 304, 305, 306, 307, 308, 309, 310,
    ]);
  });

  it("never holds more than its maximum", () => {
    const window = new EventWindow();
    window.startAfter(0);
    for (let revision = 1; revision <= 20_000; revision += 1) window.push(event(revision), 0);
    expect(() => window.since(20_000 - 8_193)).toThrow("too old");
    expect(window.since(20_000 - 8_192).length).toBe(8_192);
  });

  it("never holds more than 64 MiB of objects", () => {
    const window = new EventWindow();
    window.startAfter(0);
    const data = "x".repeat(2 ** 20);
    for (let revision = 1; revision <= 100; revision += 1)
      window.push(event(revision, { ...pod("ns/a@n1"), data } as Pod), 0);
    expect(() => window.since(100 - 64)).toThrow("too old");
    expect(window.since(100 - 63).length).toBe(63);
  });
});

describe("who hears of an event", () => {
  const heard = (scopes: Parameters<SinkGroups["add"]>[0][], happened: CacheEvent): boolean[] => {
    const groups = new SinkGroups(readers);
    const seen = scopes.map(() => false);
    scopes.forEach((scope, index) => {
      const sink: EventSink = {
        onEvent: () => {
          seen[index] = true;
        },
        onBookmark: () => undefined,
        onClose: () => undefined,
      };
      groups.add(scope, sink);
    });
    groups.dispatch(happened);
    return seen;
  };
  const node = (value: string) => ({ field: { name: "spec.nodeName", value } });

  it("is everybody of its object, namespace and field", () => {
    const scopes = [
      {},
      { namespace: "ns" },
      { namespace: "x" },
      { namespace: "ns", name: "a" },
      node("n1"),
      node("n2"),
    ];
    expect(heard(scopes, event(1))).toEqual([true, true, false, true, true, false]);
  });

  it("is both of the values between which a field has changed", () => {
    expect(heard([node("n1"), node("n2"), node("n3")], event(1, pod("ns/a@n2"), pod("ns/a@n1")))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe("the queue of a watcher", () => {
  const frame = { type: "ADDED", object: {}, bytes: () => new Uint8Array() } as const;

  it("gives what has come, together, and then ends", async () => {
    const queue = new WatchQueue();
    queue.push(frame);
    queue.push(frame);
    expect((await queue.next())?.length).toBe(2);
    const waiting = queue.next();
    queue.push(frame);
    queue.push(frame);
    expect((await waiting)?.length).toBe(2);
    queue.end();
    expect(await queue.next()).toBeUndefined();
  });

  it("holds whatever it begins with", async () => {
    const queue = new WatchQueue();
    for (let index = 0; index < 15_000; index += 1) queue.fill(frame);
    queue.push(frame);
    expect((await queue.next())?.length).toBe(15_001);
  });

  it("ends when its reader is too slow, after what it has", async () => {
    const queue = new WatchQueue();
    let closed = 0;
    queue.onClose = () => {
      closed += 1;
    };
    for (let index = 0; index < 10_001; index += 1) queue.push(frame);
    expect(closed).toBe(1);
    expect((await queue.next())?.length).toBe(10_000);
    expect(await queue.next()).toBeUndefined();
  });

  it("ends when 32 MiB of objects wait, and breaks off what is being sent", async () => {
    const queue = new WatchQueue();
    let cutOff = 0;
    queue.onCutOff = () => {
      cutOff += 1;
    };
    for (let index = 0; index < 40; index += 1) queue.push(frame, 2 ** 20);
    expect(cutOff).toBe(1);
    expect((await queue.next())?.length).toBe(32);
    expect(await queue.next()).toBeUndefined();
  });

  it("counts only what waits", async () => {
    const queue = new WatchQueue();
    for (let index = 0; index < 100; index += 1) {
      queue.push(frame, 2 ** 20);
      expect((await queue.next())?.length).toBe(1);
    }
  });
});
