import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeObject } from "../decode.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { buildSchemas } from "../schema.ts";
import { applyObject, fieldSetOf, isUnchanged, updateManagedFields } from "./managedFields.ts";

const schemas = buildSchemas(JSON.parse(readFileSync(new URL("../../api/table.json", import.meta.url), "utf8")));
const schema = schemas.type("api.apps.v1.Deployment");
const endpoint = { apiVersion: "apps/v1", kind: "Deployment", subresource: "", schema };
const T0 = Date.UTC(2026, 0, 1);

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec: { readonly containers: unknown[] } };
  };
}

const body = (spec: object, metadata: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default", ...metadata },
  spec,
});
const decoded = (object: object) =>
  decodeObject<Deployment>(object, { schema, kind: { version: "v1", kind: "Deployment" } }).object;
const containers = (...list: object[]) => ({ template: { spec: { containers: list } } });

interface Write {
  live?: Deployment | undefined;
  manager?: string;
  second?: number;
  subresource?: string;
}
const update = (next: object, { live, manager = "test", second = 0, subresource = "" }: Write = {}) =>
  updateManagedFields({ ...endpoint, live, next: decoded(next), manager, subresource, nowMs: T0 + second * 1000 });
const apply = (applied: object, { live, manager = "a", second = 0 }: Write = {}, force = false) =>
  applyObject<Deployment>({ ...endpoint, live, applied: applied as never, manager, force, nowMs: T0 + second * 1000 });

/** "manager/operation" to fields. */
const owners = (object: KubeObject) =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((one) => [`${one.manager}/${one.operation}`, one.fieldsV1]),
  );
const stored = (object: Deployment): Deployment => ({ ...object, metadata: { ...object.metadata, uid: "u" } });

const created = () =>
  stored(update(body({ replicas: 1, ...containers({ name: "a", image: "x" }) }), { manager: "kubectl" }));

describe("updateManagedFields", () => {
  it("records a create as kube-apiserver does", () => {
    const object = update(
      body(
        {
          replicas: 1,
          selector: { matchLabels: { app: "a" } },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%" } },
          template: {
            metadata: { labels: { app: "a" } },
            spec: {
              containers: [
                { name: "nginx", image: "nginx", ports: [{ containerPort: 80, protocol: "TCP" }], args: ["x"] },
              ],
              securityContext: {},
            },
          },
        },
        { labels: { app: "a" } },
      ),
      { manager: "kubectl-create" },
    );
    expect(object.metadata.managedFields).toEqual([
      {
        apiVersion: "apps/v1",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
          "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {} }, "f:type": {} },
            "f:template": {
              "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
              "f:spec": {
                "f:containers": {
                  'k:{"name":"nginx"}': {
                    ".": {},
                    "f:args": {},
                    "f:image": {},
                    "f:name": {},
                    "f:ports": {
                      ".": {},
                      'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
                    },
                    "f:resources": {},
                  },
                },
                "f:securityContext": {},
              },
            },
          },
        },
        manager: "kubectl-create",
        operation: "Update",
        time: "2026-01-01T00:00:00Z",
      },
    ]);
  });

  it("moves a changed field to who changed it", () => {
    const object = update(body({ replicas: 2, ...containers({ name: "a", image: "x" }) }), {
      live: created(),
      manager: "hpa",
    });
    expect(owners(object)["hpa/Update"]).toEqual({ "f:spec": { "f:replicas": {} } });
    expect(JSON.stringify(owners(object)["kubectl/Update"])).not.toContain("f:replicas");
  });

  it("takes a removed field from everyone, and drops who owns nothing more", () => {
    const live = stored(
      update(body({ replicas: 2, ...containers({ name: "a", image: "x" }) }), { live: created(), manager: "hpa" }),
    );
    const object = update(body(containers({ name: "a", image: "x" })), { live, manager: "kubectl" });
    expect(Object.keys(owners(object))).toEqual(["kubectl/Update"]);
  });

  it("keeps entries as they are when nothing changes", () => {
    const live = created();
    const same = { ...decoded(live), metadata: { ...live.metadata } };
    const object = update(same, { live, second: 9 });
    expect(object.metadata.managedFields).toBe(live.metadata.managedFields);
    expect(isUnchanged(live, object)).toBe(true);
  });

  it("stamps the time of the last change, and ignores it when it asks whether anything changed", () => {
    const live = created();
    const object = update(body({ replicas: 1, ...containers({ name: "a", image: "y" }) }), {
      live,
      manager: "kubectl",
      second: 5,
    });
    expect(object.metadata.managedFields?.[0]?.time).toBe("2026-01-01T00:00:05Z");
    const [entry] = live.metadata.managedFields as [ManagedFieldsEntry];
    const later = {
      ...live,
      metadata: { ...live.metadata, managedFields: [{ ...entry, time: "2027-01-01T00:00:00Z" }] },
    };
    expect(isUnchanged(live, later)).toBe(true);
    expect(isUnchanged(live, object)).toBe(false);
  });

  it("tells a subresource from the object, and does not own what the endpoint resets", () => {
    const live = created();
    const next = { ...decoded({ ...live, status: { replicas: 1 }, spec: { ...live.spec, replicas: 7 } }) };
    const object = updateManagedFields({
      ...endpoint,
      live,
      next,
      manager: "controller",
      subresource: "status",
      nowMs: T0,
      resetFields: fieldSetOf("spec"),
    });
    const entry = object.metadata.managedFields?.find((one) => one.manager === "controller");
    expect(entry).toMatchObject({ subresource: "status", fieldsV1: { "f:status": { "f:replicas": {} } } });
    expect(JSON.stringify(owners(object)["kubectl/Update"])).toContain("f:replicas");
  });

  it("forgets all owners on [{}], and begins again only with an apply", () => {
    const live = created();
    const reset = update(body({ replicas: 1 }, { managedFields: [{}] }), { live });
    expect(reset.metadata.managedFields).toBeUndefined();
    const later = update(body({ replicas: 3 }), { live: stored(reset) });
    expect(later.metadata.managedFields).toBeUndefined();
    const applied = apply(body({ replicas: 3 }), { live: stored(later) });
    expect(Object.keys(owners(applied))).toEqual(["a/Apply", "before-first-apply/Update"]);
  });

  it("puts the oldest together beyond ten updaters", () => {
    let live = created();
    for (let index = 0; index < 12; index += 1) {
      const labels = { ...live.metadata.labels, [`l${index}`]: "x" };
      const next = { ...live, metadata: { ...live.metadata, labels } };
      live = stored(update(next, { live, manager: `m${index}`, second: index + 1 }));
    }
    const names = live.metadata.managedFields?.map((one) => one.manager);
    expect(names).toHaveLength(10);
    expect(names?.[0]).toBe("ancient-changes");
    expect(JSON.stringify(live.metadata.managedFields?.[0]?.fieldsV1)).toContain("f:l0");
  });

  it("does not take nonsense for managed fields", () => {
    const live = created();
    const object = update(
      body({ replicas: 1, ...containers({ name: "a", image: "x" }) }, { managedFields: [{ manager: "x" }] }),
      { live },
    );
    expect(object.metadata.managedFields).toBe(live.metadata.managedFields);
  });
});

describe("applyObject", () => {
  const one = body({ replicas: 1, ...containers({ name: "a", image: "x" }) });

  it("makes an object and owns what it names", () => {
    const object = apply(one);
    expect(object.spec.template.spec.containers).toEqual([{ name: "a", image: "x", resources: {} }]);
    expect(owners(object)).toEqual({
      "a/Apply": {
        "f:spec": {
          "f:replicas": {},
          "f:template": {
            "f:spec": { "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:image": {}, "f:name": {} } } },
          },
        },
      },
    });
  });

  it("gives the live object back when nothing changes", () => {
    const live = stored(apply(one));
    expect(apply(one, { live, second: 9 })).toBe(live);
  });

  it("takes out what it no longer applies", () => {
    const live = stored(apply(body({ replicas: 1, paused: true, ...containers({ name: "a" }, { name: "b" }) })));
    const object = apply(body(containers({ name: "b" })), { live });
    expect(object.spec).toEqual({
      strategy: {},
      template: { metadata: {}, spec: { containers: [{ name: "b", resources: {} }] } },
    });
  });

  it("leaves what another applier or updater owns", () => {
    let live = stored(apply(body({ replicas: 1, ...containers({ name: "a", image: "x" }) })));
    live = stored(apply(body(containers({ name: "a", image: "x" })), { live, manager: "b" }));
    const object = apply(body({ replicas: 1 }), { live });
    expect(object.spec.template.spec.containers).toEqual([{ name: "a", image: "x", resources: {} }]);
    expect(owners(object)["a/Apply"]).toEqual({ "f:spec": { "f:replicas": {} } });
  });

  it("merges lists by key, in the order of the configuration", () => {
    const live = stored(apply(body(containers({ name: "a" }, { name: "b" }))));
    const object = apply(body(containers({ name: "c" }, { name: "b", image: "y" })), { live, manager: "b" });
    const names = object.spec.template.spec.containers.map((item) => (item as { name: string }).name);
    expect(names).toEqual(["a", "c", "b"]);
  });

  it("refuses to change another's field, naming it", () => {
    const live = stored(
      update(body({ replicas: 3, ...containers({ name: "a", image: "x" }) }), { manager: "kubectl" }),
    );
    expect(() => apply(body({ replicas: 1 }), { live })).toThrow(
      expect.objectContaining({
        reason: "Conflict",
        message: 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
        details: {
          causes: [
            {
              reason: "FieldManagerConflict",
              message: 'conflict with "kubectl" using apps/v1',
              field: ".spec.replicas",
            },
          ],
        },
      }),
    );
    expect(() => apply(body({ replicas: 1, ...containers({ name: "a", image: "y" }) }), { live })).toThrow(
      'Apply failed with 2 conflicts: conflicts with "kubectl" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="a"].image',
    );
  });

  it("names contested fields in upstream's order, whatever the order of the object", () => {
    const live = stored(
      update(
        body({ ...containers({ name: "b", image: "x" }, { name: "a", image: "x" }), replicas: 3, paused: false }),
        {
          manager: "kubectl",
        },
      ),
    );
    const wanted = { paused: true, ...containers({ name: "b", image: "y" }, { name: "a", image: "y" }), replicas: 1 };
    expect(() => apply(body(wanted), { live })).toThrow(
      [
        'Apply failed with 3 conflicts: conflicts with "kubectl" using apps/v1:',
        "- .spec.replicas",
        '- .spec.template.spec.containers[name="a"].image',
        '- .spec.template.spec.containers[name="b"].image',
      ].join("\n"),
    );
  });

  it("takes fields over by force", () => {
    const live = stored(update(body({ replicas: 3 }), { manager: "kubectl" }));
    const object = apply(body({ replicas: 1 }), { live }, true);
    expect(object.spec.replicas).toBe(1);
    expect(Object.keys(owners(object))).toEqual(["a/Apply"]);
  });

  it("shares a field when both say the same", () => {
    const live = stored(update(body({ replicas: 3 }), { manager: "kubectl" }));
    const object = apply(body({ replicas: 3 }), { live });
    expect(owners(object)).toEqual({
      "a/Apply": { "f:spec": { "f:replicas": {} } },
      "kubectl/Update": { "f:spec": { "f:replicas": {} } },
    });
  });

  it("lets kubectl take over from its own client-side apply, and keeps the annotation in step", () => {
    const key = "kubectl.kubernetes.io/last-applied-configuration";
    const before = body({ replicas: 3 });
    const annotated = body({ replicas: 3 }, { annotations: { [key]: JSON.stringify(before) } });
    const live = stored(update(annotated, { manager: "kubectl-client-side-apply" }));
    const object = apply(body({ replicas: 5 }), { live, manager: "kubectl" });
    expect(object.spec.replicas).toBe(5);
    expect(object.metadata.annotations?.[key]).toBe(`${JSON.stringify(body({ replicas: 5 }))}\n`);
    expect(() => apply(body({ replicas: 5 }), { live, manager: "other" })).toThrow("Apply failed with 1 conflict");
  });

  it.each<[string, object, string]>([
    [
      "an unknown field",
      body({ foo: 1 }),
      "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema",
    ],
    ["a wrong type", body({ replicas: "x" }), ".spec.replicas: expected numeric (int or float), got string"],
    [
      "one key twice",
      body(containers({ name: "a" }, { name: "a" })),
      'containers: duplicate entries for key [name="a"]',
    ],
    ["an item without a key", body(containers({ image: "a" })), 'omits all key fields ["name"]'],
    [
      "another version",
      { ...body({}), apiVersion: "apps/v1beta1" },
      "invalid object type: apps/v1beta1, Kind=Deployment",
    ],
    ["managed fields", body({}, { managedFields: [] }), "metadata.managedFields must be nil"],
  ])("refuses %s", (_, applied, message) => expect(() => apply(applied)).toThrow(message));
});
