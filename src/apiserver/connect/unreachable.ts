import { ApiError } from "../../machinery/errors.ts";

/** For `.catch`: what a client reads when a node's kubelet cannot be reached. */
export const unreachable =
  (nodeName: string) =>
  (cause: unknown): never => {
    throw new ApiError(
      "InternalError",
      `Internal error occurred: error dialing backend: the kubelet of node ${nodeName} cannot be reached`,
      { cause },
    );
  };
