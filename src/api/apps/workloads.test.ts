import { describe, expect, test } from "vitest";
import type { DaemonSet, Deployment } from "../generated/apps-v1.ts";
import { changed, type InvalidCase, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { NAMESPACED_CASES, QUALIFIED_REASON, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { controllerRevision } from "./controllerRevision.ts";
import { daemonSet } from "./daemonSet.ts";
import { deployment } from "./deployment.ts";
import { replicaSet } from "./replicaSet.ts";

const CONTEXT = { nowMs: 0, subresource: "", user: { name: "tester", groups: [] } };
const base = (kind: string) => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name: "web", namespace: "default" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "main", image: "example/web:1" }] },
    },
  },
});

const ofTemplate = (what: string, empty: string): InvalidCase[] => [
  ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${SUBDOMAIN_REASON}`],
  [
    "template labels that the selector does not find",
    { "spec.template.metadata.labels": { app: "db" } },
    'spec.template.metadata.labels: Invalid value: {"app":"db"}: `selector` does not match template `labels`',
  ],
  [
    "an empty selector",
    { "spec.selector": {} },
    `spec.selector: Invalid value: {}: empty selector is invalid for ${empty}`,
  ],
  [
    "a template whose pods end",
    { "spec.template.spec.restartPolicy": "Never" },
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
  [
    "a template with a deadline",
    { "spec.template.spec.activeDeadlineSeconds": 1 },
    `spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ${what} is not Supported`,
  ],
  [
    "a template without containers",
    { "spec.template.spec.containers": [] },
    "spec.template.spec.containers: Required value",
  ],
  [
    "a template with an ephemeral container",
    { "spec.template.spec.ephemeralContainers": [{ name: "debug", image: "a" }] },
    "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template",
  ],
  [
    "a template label key with a blank",
    { "spec.template.metadata.labels[a b]": "c" },
    `spec.template.labels: Invalid value: "a b": ${QUALIFIED_REASON}`,
  ],
  [
    "negative minReadySeconds",
    { "spec.minReadySeconds": -1 },
    "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
  ],
];

const negativeCount = (field: string): InvalidCase => [
  `a negative ${field}`,
  { [`status.${field}`]: -1 },
  `status.${field}: Invalid value: -1: must be greater than or equal to 0`,
];

const IMMUTABLE: InvalidCase[] = [
  ["the number of replicas may change", { "spec.replicas": 5 }],
  [
    "the selector may not change",
    { "spec.selector.matchLabels[tier]": "web", "spec.template.metadata.labels[tier]": "web" },
    'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"web"}}: field is immutable',
  ],
];

describe("deployments", () => {
  const BASE = base("Deployment");
  testInvalidObjects(deployment, BASE, [
    ...NAMESPACED_CASES,
    ...ofTemplate("ReplicaSet", "deployment"),
    [
      "no selector",
      { "spec.selector": undefined },
      "spec.selector: Required value",
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
    [
      "negative replicas",
      { "spec.replicas": -1 },
      "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      "an unknown strategy",
      { "spec.strategy.type": "Canary" },
      'spec.strategy: Unsupported value: {"Type":"Canary","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
    ],
    [
      "Recreate with rolling-update parameters",
      { "spec.strategy": { type: "Recreate", rollingUpdate: { maxSurge: 1 } } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      "neither surge nor unavailability",
      { "spec.strategy.rollingUpdate": { maxSurge: 0, maxUnavailable: 0 } },
      "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
    ],
    [
      "more than all unavailable",
      { "spec.strategy.rollingUpdate": { maxUnavailable: "101%" } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
    [
      "a surge that is no percentage",
      { "spec.strategy.rollingUpdate": { maxSurge: "few" } },
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"few\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
    [
      "a progress deadline that is too short",
      { "spec.progressDeadlineSeconds": 5, "spec.minReadySeconds": 5 },
      "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
    ],
    [
      "a negative history limit",
      { "spec.revisionHistoryLimit": -1 },
      "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
    ],
  ]);
  testUpdates(deployment, BASE, IMMUTABLE);
  testUpdates(
    deployment,
    changed(BASE, { "status.collisionCount": 2 }),
    [
      negativeCount("unavailableReplicas"),
      [
        "more ready than there are",
        { "status.replicas": 1, "status.readyReplicas": 2 },
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
      ],
      [
        "the collision count may not fall",
        { "status.collisionCount": 1 },
        "status.collisionCount: Invalid value: 1: cannot be decremented",
      ],
    ],
    "status",
  );

  test("the defaults are upstream's", () => {
    const made = deployment.withDefaults(BASE as unknown as Deployment);
    expect(made.spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      template: {
        spec: {
          dnsPolicy: "ClusterFirst",
          restartPolicy: "Always",
          schedulerName: "default-scheduler",
          securityContext: {},
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              imagePullPolicy: "IfNotPresent",
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
            },
          ],
        },
      },
    });
    expect(made.spec?.template.spec?.enableServiceLinks).toBeUndefined();
    expect(deployment.withDefaults(made)).toBe(made);
  });

  test("a change of annotations counts the generation up", () => {
    const previous = changed(BASE, { "metadata.generation": 3 }) as unknown as Deployment;
    const next = changed(previous, { "metadata.annotations": { a: "b" } });
    expect(deployment.prepareForUpdate(next, previous, CONTEXT).metadata.generation).toBe(4);
  });

  test("status is not taken on create", () => {
    const draft = changed(BASE, { "status.replicas": 3 }) as unknown as Deployment;
    expect(deployment.prepareForCreate(draft, CONTEXT).status).toBeUndefined();
  });

  test("prints READY, UP-TO-DATE and AVAILABLE", () => {
    const one = changed(BASE, {
      "spec.replicas": 3,
      "status.readyReplicas": 2,
      "status.updatedReplicas": 3,
      "status.availableReplicas": 1,
    }) as unknown as Deployment;
    const cells = deployment.columns.map(({ name, value }) => `${name}=${value(one, { nowMs: 0 })}`);
    expect(cells).toEqual([
      "Name=web",
      "Ready=2/3",
      "Up-to-date=3",
      "Available=1",
      "Age=null",
      "Containers=main",
      "Images=example/web:1",
      "Selector=app=web",
    ]);
  });
});

describe("replica sets", () => {
  const BASE = base("ReplicaSet");
  testInvalidObjects(replicaSet, BASE, [
    ...NAMESPACED_CASES,
    ...ofTemplate("ReplicaSet", "deployment"),
    [
      "no selector",
      { "spec.selector": undefined },
      "spec.selector: Required value",
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
    [
      "negative replicas",
      { "spec.replicas": -1 },
      "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    ],
  ]);
  testUpdates(replicaSet, BASE, IMMUTABLE);
  testUpdates(
    replicaSet,
    BASE,
    [
      negativeCount("fullyLabeledReplicas"),
      [
        "more available than ready",
        { "status.replicas": 2, "status.readyReplicas": 1, "status.availableReplicas": 2 },
        "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas",
      ],
    ],
    "status",
  );
});

describe("daemon sets", () => {
  const BASE = base("DaemonSet");
  testInvalidObjects(daemonSet, BASE, [
    ...NAMESPACED_CASES,
    ...ofTemplate("DaemonSet", "daemonset"),
    [
      "an unknown strategy",
      { "spec.updateStrategy.type": "Never" },
      'spec.updateStrategy: Unsupported value: {"Type":"Never","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
    ],
    [
      "both surge and unavailability",
      { "spec.updateStrategy.rollingUpdate": { maxSurge: 1, maxUnavailable: 1 } },
      "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
    ],
    [
      "neither surge nor unavailability",
      { "spec.updateStrategy.rollingUpdate": { maxSurge: 0, maxUnavailable: 0 } },
      "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
    ],
  ]);
  testUpdates(daemonSet, BASE, IMMUTABLE.slice(1));
  testUpdates(daemonSet, BASE, [negativeCount("numberReady"), negativeCount("desiredNumberScheduled")], "status");

  test("the template generation follows the template", () => {
    const key = "deprecated.daemonset.template.generation";
    const made = daemonSet.prepareForCreate(BASE as unknown as DaemonSet, CONTEXT);
    expect(made.metadata.annotations?.[key]).toBe("1");
    expect(daemonSet.withDefaults(BASE as unknown as DaemonSet).metadata.annotations?.[key]).toBe("0");
    expect(daemonSet.withDefaults(made).metadata.annotations?.[key]).toBe("1");
    const moved = changed(made, { "spec.template.spec.containers[0].image": "example/web:2" });
    expect(daemonSet.prepareForUpdate(moved, made, CONTEXT).metadata.annotations?.[key]).toBe("2");
    const labelled = changed(made, { "metadata.labels": { a: "b" } });
    expect(daemonSet.prepareForUpdate(labelled, made, CONTEXT).metadata.annotations?.[key]).toBe("1");
    const bare = changed(made, { "metadata.annotations": undefined });
    const status = { ...CONTEXT, subresource: "status" };
    expect(daemonSet.prepareForUpdate(bare, made, status).metadata.annotations?.[key]).toBe("1");
  });
});

describe("controller revisions", () => {
  const BASE = {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: { name: "web-1", namespace: "default" },
    revision: 1,
    data: { spec: {} },
  };
  testInvalidObjects(controllerRevision, BASE, [
    ...NAMESPACED_CASES,
    ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${SUBDOMAIN_REASON}`],
    ["a negative revision", { revision: -1 }, "revision: Invalid value: -1: must be greater than or equal to 0"],
    ["no data", { data: undefined }, "data: Required value: data is mandatory"],
    ["data that is no object", { data: ["a"] }, "data: Required value: data must be a valid JSON object"],
  ]);
  testUpdates(controllerRevision, BASE, [
    ["the revision may change", { revision: 2 }],
    [
      "the data may not change",
      { data: { spec: { a: 1 } } },
      'data: Invalid value: {"spec":{"a":1}}: field is immutable',
    ],
  ]);
});
