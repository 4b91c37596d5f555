/** Puts the authority that signed the API server's certificate into each namespace. Source: pkg/controller/certificates/rootcacertpublisher. */
import type { ConfigMap, Namespace } from "../api/generated/core-v1.ts";
import { configMap as configMapKind, namespace as namespaceKind } from "../api/index.ts";
import type { Client } from "../client/client.ts";
import { type RunningController, runController, watching } from "../client/controller.ts";
import { isApiError } from "../machinery/errors.ts";
import type { Draft } from "../machinery/object.ts";
import type { ControllerContext } from "./controllerContext.ts";
import { isNamespaceTerminating } from "./pods/podControl.ts";

/** Source: publisher.go, RootCACertConfigMapName. */
const NAME = "kube-root-ca.crt";
const DESCRIPTION = "kubernetes.io/description";
/** Source: publisher.go, Description. */
const DESCRIPTION_TEXT =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
  "No other usage is guaranteed across distributions of Kubernetes clusters.";

export interface RootCaOptions extends ControllerContext {
  /** PEM. */
  readonly rootCa: string;
}

export interface ObservedRootCa {
  readonly rootCa: string;
  readonly namespace: Namespace | undefined;
  readonly configMap: ConfigMap | undefined;
}

export type RootCaAction =
  | { readonly do: "create"; readonly configMap: Draft<ConfigMap> }
  | { readonly do: "update"; readonly configMap: ConfigMap }
  | { readonly do: "none" };

/** Decides; never acts. */
export function plan({ rootCa, namespace, configMap }: ObservedRootCa): RootCaAction {
  if (namespace === undefined || namespace.status?.phase === "Terminating") return { do: "none" };
  const data = { "ca.crt": rootCa };
  const annotations = { [DESCRIPTION]: DESCRIPTION_TEXT };
  if (configMap === undefined) {
    return {
      do: "create",
      configMap: { metadata: { name: NAME, namespace: namespace.metadata.name, annotations }, data },
    };
  }
  const { metadata } = configMap;
  const isSame =
    configMap.data?.["ca.crt"] === rootCa &&
    Object.keys(configMap.data).length === 1 &&
    (metadata.annotations?.[DESCRIPTION] ?? "") !== "";
  if (isSame) return { do: "none" };
  return {
    do: "update",
    configMap: {
      ...configMap,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
      data,
    },
  };
}

export function startRootCaController(options: RootCaOptions): RunningController {
  const { informers, rootCa } = options;
  const reconcile = async (name: string, client: Client) => {
    const namespace = informers.of<Namespace>(namespaceKind).get(name);
    const action = plan({ rootCa, namespace, configMap: informers.of<ConfigMap>(configMapKind).find(name, NAME) });
    try {
      if (action.do === "create") await client.create<ConfigMap>(configMapKind, action.configMap);
      if (action.do === "update") await client.update<ConfigMap>(configMapKind, action.configMap);
    } catch (error) {
      if (!isApiError(error, "AlreadyExists") && !isNamespaceTerminating(error)) throw error;
    }
  };
  return runController({
    ...options,
    name: "root-ca-certificate-publisher-controller",
    workers: 1,
    watches: [
      watching<Namespace>(namespaceKind, ({ metadata }) => [metadata.name]),
      watching<ConfigMap>(configMapKind, ({ metadata }) => (metadata.name === NAME ? [metadata.namespace ?? ""] : [])),
    ],
    reconcile,
  });
}
