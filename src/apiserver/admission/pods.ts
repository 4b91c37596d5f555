import type { AdmissionRequest } from "./chain.ts";

export const isPod = ({ ref, subresource }: AdmissionRequest): boolean =>
  ref.group === "" && ref.resource === "pods" && subresource === "";

export const isPodCreation = (request: AdmissionRequest): boolean => request.operation === "CREATE" && isPod(request);
