/** Nothing is made in a namespace that is not there or is going. Source: apiserver admission/plugin/namespace/lifecycle. */
import type { Namespace } from "../../api/generated/core-v1.ts";
import { ApiError, notFound } from "../../machinery/errors.ts";
import type { AdmissionPluginFactory, AdmissionRequest } from "./chain.ts";
import { refusal } from "./refusal.ts";

const NAMESPACES = { group: "", resource: "namespaces" };
/** These stay as long as the cluster. Source: kube-apiserver's immortalNamespaces. */
const IMMORTAL = new Set(["default", "kube-system", "kube-public"]);

const isNamespace = ({ ref }: AdmissionRequest) => ref.group === "" && ref.resource === "namespaces";

export const namespaceLifecycle: AdmissionPluginFactory = ({ reader }) => {
  async function find(name: string): Promise<Namespace | undefined> {
    const known = reader.get<Namespace>(NAMESPACES, "", name);
    if (known !== undefined) return known;
    await reader.fresh();
    return reader.get<Namespace>(NAMESPACES, "", name);
  }

  function checkPhase(request: AdmissionRequest, namespace: Namespace | undefined): void {
    if (namespace === undefined) throw notFound(NAMESPACES, request.namespace);
    if (request.operation !== "CREATE" || namespace.status?.phase !== "Terminating") return;
    throw terminating(request);
  }

  return {
    name: "NamespaceLifecycle",
    mutate: (request) => {
      const { operation, namespace, name, object } = request;
      if (operation === "DELETE") {
        if (isNamespace(request) && IMMORTAL.has(name)) throw refusal(request, "this namespace may not be deleted");
        return object;
      }
      if (namespace === "" || isNamespace(request)) return object;
      const known = reader.get<Namespace>(NAMESPACES, "", namespace);
      if (known !== undefined) {
        checkPhase(request, known);
        return object;
      }
      return find(namespace).then((found) => {
        checkPhase(request, found);
        return object;
      });
    },
  };
};

function terminating(request: AdmissionRequest): ApiError {
  const { namespace } = request;
  const error = refusal(
    request,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  return new ApiError("Forbidden", error.message, { details: { ...error.details, causes: [cause] } });
}
