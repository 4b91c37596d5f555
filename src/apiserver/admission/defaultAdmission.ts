import type { AdmissionPluginFactory } from "./chain.ts";
import { defaultTolerationSeconds } from "./defaultTolerationSeconds.ts";
import { namespaceLifecycle } from "./namespaceLifecycle.ts";
import { priority } from "./priority.ts";
import { serviceAccount } from "./serviceAccount.ts";
import { taintNodesByCondition } from "./taintNodesByCondition.ts";

/** The plugins of a cluster, in upstream's order. Source: kubeapiserver/options/plugins.go, AllOrderedPlugins. */
export const defaultAdmission: readonly AdmissionPluginFactory[] = [
  namespaceLifecycle,
  serviceAccount,
  taintNodesByCondition,
  priority,
  defaultTolerationSeconds,
];
