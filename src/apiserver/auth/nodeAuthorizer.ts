/**
 * What a kubelet may do: what concerns its own node and the pods on it.
 * Source: kubernetes plugin/pkg/auth/authorizer/node, bootstrappolicy NodeRules.
 *
 * Absent: volumes, resource claims and CSI, whose kinds are not served yet; and NodeRestriction, which upstream leaves
 * to admission.
 */
import type { Pod } from "../../api/generated/core-v1.ts";
import type { PolicyRule } from "../../api/generated/rbac-v1.ts";
import type { Reader } from "../reader.ts";
import { type Attributes, type Authorizer, type Decision, NO_OPINION } from "./authorizer.ts";
import { podReferences } from "./podReferences.ts";
import { ruleAllows } from "./policyRules.ts";

const NODE_PREFIX = "system:node:";
const NODES_GROUP = "system:nodes";
const READ = ["get", "list", "watch"];

const NODE_RULES: readonly PolicyRule[] = [
  { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"] },
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io"],
    resources: ["subjectaccessreviews", "localsubjectaccessreviews"],
  },
  { verbs: READ, apiGroups: [""], resources: ["services", "endpoints", "namespaces"] },
  { verbs: READ, apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
  { verbs: ["create", ...READ], apiGroups: [""], resources: ["nodes"] },
  { verbs: ["create", "patch", "update"], apiGroups: ["", "events.k8s.io"], resources: ["events"] },
  { verbs: ["create", "delete", ...READ], apiGroups: [""], resources: ["pods"] },
  { verbs: ["patch", "update"], apiGroups: [""], resources: ["pods/status"] },
  { verbs: ["create"], apiGroups: [""], resources: ["pods/eviction"] },
  { verbs: ["get", "create", "update", "patch", "delete"], apiGroups: ["coordination.k8s.io"], resources: ["leases"] },
  { verbs: READ, apiGroups: ["node.k8s.io"], resources: ["runtimeclasses"] },
  { verbs: READ, apiGroups: ["storage.k8s.io"], resources: ["csidrivers"] },
  { verbs: [...READ, "create"], apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"] },
  {
    verbs: ["get"],
    nonResourceURLs: ["/healthz", "/livez", "/readyz", "/version", "/version/", "/api", "/api/*", "/apis", "/apis/*"],
  },
];

/** Of its own node alone. */
const OWN_NODE_RULE: PolicyRule = {
  verbs: ["update", "patch", "delete"],
  apiGroups: [""],
  resources: ["nodes", "nodes/status"],
};

const ALLOWED: Decision = { isAllowed: true, reason: "" };

export function nodeAuthorizer(reader: Reader): Authorizer {
  return (attributes) => {
    const { name, groups } = attributes.user;
    if (!name.startsWith(NODE_PREFIX) || !groups.includes(NODES_GROUP)) return NO_OPINION;
    const nodeName = name.slice(NODE_PREFIX.length);
    if (attributes.resource === "secrets" || attributes.resource === "configmaps") {
      return referenced(attributes, nodeName, reader);
    }
    if (attributes.resource === "serviceaccounts") return ownAccount(attributes, nodeName, reader);
    if (ruleAllows(OWN_NODE_RULE, attributes)) {
      if (attributes.name === nodeName) return ALLOWED;
      return { isAllowed: false, reason: `node '${nodeName}' is not allowed to modify node '${attributes.name}'` };
    }
    return NODE_RULES.some((rule) => ruleAllows(rule, attributes)) ? ALLOWED : NO_OPINION;
  };
}

const podsOn = (nodeName: string, namespace: string, reader: Reader): readonly Pod[] =>
  reader.list<Pod>({ group: "", resource: "pods" }, namespace, { name: "spec.nodeName", value: nodeName });

/** Secrets and ConfigMaps that a pod on the node names. */
function referenced({ verb, resource, namespace, name }: Attributes, nodeName: string, reader: Reader): Decision {
  if (!READ.includes(verb)) return { isAllowed: false, reason: `can only read resources of this type` };
  if (name === "") return { isAllowed: false, reason: `No Object name found` };
  const kind = resource === "secrets" ? "secrets" : "configMaps";
  const isNamed = podsOn(nodeName, namespace, reader).some((pod) => podReferences(pod)[kind].has(name));
  if (isNamed) return ALLOWED;
  return { isAllowed: false, reason: `no relationship found between node '${nodeName}' and this object` };
}

/** Tokens for the accounts of its pods. */
function ownAccount({ verb, subresource, namespace, name }: Attributes, nodeName: string, reader: Reader): Decision {
  if (verb === "get" && subresource === "") return ALLOWED;
  if (verb !== "create" || subresource !== "token") return NO_OPINION;
  const uses = podsOn(nodeName, namespace, reader).some((pod) => (pod.spec?.serviceAccountName ?? "") === name);
  if (uses) return ALLOWED;
  return { isAllowed: false, reason: `no relationship found between node '${nodeName}' and this object` };
}
