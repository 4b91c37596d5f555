/** What `kubectl get nodes` prints. Source: pkg/printers/internalversion/printers.go, printNode. */
import { ageColumn, type Column, nameColumn } from "../../machinery/defineKind.ts";
import { NONE } from "../columns.ts";
import type { Node } from "../generated/core-v1.ts";

const ROLE_PREFIX = "node-role.kubernetes.io/";
const ROLE_LABEL = "kubernetes.io/role";
const UNKNOWN = "<unknown>";

function statusText(node: Node): string {
  const ready = node.status?.conditions?.findLast(({ type }) => type === "Ready");
  const status = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return node.spec?.unschedulable ? `${status},SchedulingDisabled` : status;
}

function rolesText(node: Node): string {
  const roles = Object.entries(node.metadata.labels ?? {}).map(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return key.slice(ROLE_PREFIX.length);
    return key === ROLE_LABEL ? value : "";
  });
  return [...new Set(roles.filter((role) => role !== ""))].sort().join(",") || NONE;
}

const address = (wanted: string) => (node: Node) =>
  node.status?.addresses?.find(({ type }) => type === wanted)?.address ?? NONE;

function kernelText(node: Node): string {
  const { kernelVersion, architecture } = node.status?.nodeInfo ?? {};
  return `${kernelVersion || UNKNOWN}${architecture ? ` (${architecture})` : ""}`;
}

export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  { name: "Status", type: "string", description: "The status of the node", value: statusText },
  { name: "Roles", type: "string", description: "The roles of the node", value: rolesText },
  ageColumn,
  { name: "Version", type: "string", value: (node) => node.status?.nodeInfo?.kubeletVersion ?? "" },
  { name: "Internal-IP", type: "string", priority: 1, value: address("InternalIP") },
  { name: "External-IP", type: "string", priority: 1, value: address("ExternalIP") },
  { name: "OS-Image", type: "string", priority: 1, value: (node) => node.status?.nodeInfo?.osImage || UNKNOWN },
  { name: "Kernel-Version", type: "string", priority: 1, value: kernelText },
  {
    name: "Container-Runtime",
    type: "string",
    priority: 1,
    value: (node) => node.status?.nodeInfo?.containerRuntimeVersion || UNKNOWN,
  },
];
