/**
 * Every kind that is served. A new kind is one file and one line in this list.
 *
 * A definition is a value without behaviour of its own: what is done with it stands in apiserver/. What is not stored
 * (Scale, TokenRequest, Binding, Eviction, the access reviews) is no kind here; its servers know it.
 */
import type { AnyKind } from "../machinery/defineKind.ts";
import { controllerRevision } from "./apps/controllerRevision.ts";
import { daemonSet } from "./apps/daemonSet.ts";
import { deployment } from "./apps/deployment.ts";
import { replicaSet } from "./apps/replicaSet.ts";
import { lease } from "./coordination/lease.ts";
import { configMap } from "./core/configMap.ts";
import { endpoints } from "./core/endpoints.ts";
import { event } from "./core/event.ts";
import { namespace } from "./core/namespace.ts";
import { node } from "./core/node.ts";
import { pod } from "./core/pod.ts";
import { secret } from "./core/secret.ts";
import { service } from "./core/service.ts";
import { serviceAccount } from "./core/serviceAccount.ts";
import { endpointSlice } from "./discovery/endpointSlice.ts";
import { eventsEvent } from "./events/eventsEvent.ts";
import { clusterRole } from "./rbac/clusterRole.ts";
import { clusterRoleBinding } from "./rbac/clusterRoleBinding.ts";
import { role } from "./rbac/role.ts";
import { roleBinding } from "./rbac/roleBinding.ts";
import { priorityClass } from "./scheduling/priorityClass.ts";

export const kinds: readonly AnyKind[] = [
  configMap,
  endpoints,
  event,
  namespace,
  node,
  pod,
  secret,
  serviceAccount,
  service,
  controllerRevision,
  daemonSet,
  deployment,
  replicaSet,
  lease,
  endpointSlice,
  eventsEvent,
  clusterRoleBinding,
  clusterRole,
  roleBinding,
  role,
  priorityClass,
];

export {
  clusterRole,
  clusterRoleBinding,
  configMap,
  controllerRevision,
  daemonSet,
  deployment,
  endpointSlice,
  endpoints,
  event,
  eventsEvent,
  lease,
  namespace,
  node,
  pod,
  priorityClass,
  replicaSet,
  role,
  roleBinding,
  secret,
  service,
  serviceAccount,
};
