/** Admission: what may change or refuse a write, plugin by plugin. Source: apiserver admission. */

import type { Env } from "../../lib/env.ts";
import type { AnyKind } from "../../machinery/defineKind.ts";
import type { ResourceRef } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import type { Reader } from "../reader.ts";

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly kind: AnyKind;
  readonly ref: ResourceRef;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** What would be stored, in the request's version; absent for DELETE. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions. */
  readonly options: object;
  readonly warn: (text: string) => void;
}

export interface AdmissionPlugin {
  /** As in --enable-admission-plugins. */
  readonly name: string;
  /** Gives the object, changed or not. @throws ApiError to refuse */
  readonly mutate?: (request: AdmissionRequest) => KubeObject | undefined | Promise<KubeObject | undefined>;
  /** @throws ApiError to refuse */
  readonly validate?: (request: AdmissionRequest) => void | Promise<void>;
}

/** What plugins are made of. */
export interface AdmissionContext {
  readonly env: Env;
  readonly reader: Reader;
}

export type AdmissionPluginFactory = (context: AdmissionContext) => AdmissionPlugin;

export interface Admission {
  mutate(request: AdmissionRequest): Promise<KubeObject | undefined>;
  validate(request: AdmissionRequest): Promise<void>;
}

/** Plugins in their order: all of them change first, then all of them check. */
export function admissionChain(plugins: readonly AdmissionPlugin[]): Admission {
  const mutating = plugins.filter(({ mutate }) => mutate !== undefined);
  const validating = plugins.filter(({ validate }) => validate !== undefined);
  return {
    mutate: async (request) => {
      let { object } = request;
      for (const { mutate } of mutating) {
        const result = mutate?.({ ...request, object });
        object = result instanceof Promise ? await result : result;
      }
      return object;
    },
    validate: async (request) => {
      for (const { validate } of validating) {
        const result = validate?.(request);
        if (result instanceof Promise) await result;
      }
    },
  };
}
