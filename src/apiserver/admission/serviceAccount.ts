/** Gives pods their ServiceAccount and its token. Source: kubernetes plugin/pkg/admission/serviceaccount. */
import type { Container, Pod, PodSpec, ServiceAccount, Volume, VolumeMount } from "../../api/generated/core-v1.ts";
import { notFound } from "../../machinery/errors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { AdmissionContext, AdmissionPluginFactory, AdmissionRequest } from "./chain.ts";
import { isPodCreation } from "./pods.ts";
import { refusal } from "./refusal.ts";

const DEFAULT_ACCOUNT = "default";
const TOKEN_MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN_VOLUME_PREFIX = "kube-api-access-";
/** One hour and a little, by which tokens of this kind are told apart. Source: serviceaccount WarnOnlyBoundTokenExpirationPeriod. */
const TOKEN_LIFETIME_SECONDS = 3607;
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
/** The default account is made a moment after its namespace. Source: admission.go getServiceAccount. */
const DEFAULT_ACCOUNT_ATTEMPTS_MAX = 10;
const DEFAULT_ACCOUNT_WAIT_MS = 100;

export const serviceAccount: AdmissionPluginFactory = (context) => ({
  name: "ServiceAccount",
  mutate: (request) => {
    if (!isPodCreation(request)) return request.object;
    const pod = request.object as unknown as Pod;
    if (pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return checkMirror(request, pod);
    const name = pod.spec?.serviceAccountName || DEFAULT_ACCOUNT;
    const account = lookUp(context, request.namespace, name);
    if (account !== undefined) return withAccount(pod, name, account, context);
    return waitFor(context, request, name).then((found) => withAccount(pod, name, found, context));
  },
});

/** Static pods know nothing of the API. */
function checkMirror(request: AdmissionRequest, pod: Pod): KubeObject {
  if (pod.spec?.serviceAccountName) throw refusal(request, "a mirror pod may not reference service accounts");
  const projectsToken = (pod.spec?.volumes ?? []).some(({ projected }) =>
    (projected?.sources ?? []).some((source) => source.serviceAccountToken !== undefined),
  );
  if (projectsToken) throw refusal(request, "a mirror pod may not use ServiceAccountToken volume projections");
  return pod as unknown as KubeObject;
}

const lookUp = ({ reader }: AdmissionContext, namespace: string, name: string): ServiceAccount | undefined =>
  reader.get<ServiceAccount>({ group: "", resource: "serviceaccounts" }, namespace, name);

async function waitFor(context: AdmissionContext, request: AdmissionRequest, name: string): Promise<ServiceAccount> {
  const { clock, random } = context.env;
  const attempts = name === DEFAULT_ACCOUNT ? DEFAULT_ACCOUNT_ATTEMPTS_MAX : 1;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (attempt > 0) await clock.sleep(DEFAULT_ACCOUNT_WAIT_MS + random.int(DEFAULT_ACCOUNT_WAIT_MS));
    await context.reader.fresh();
    const account = lookUp(context, request.namespace, name);
    if (account !== undefined) return account;
  }
  const cause = notFound({ group: "", resource: "serviceaccount" }, name).message;
  throw refusal(request, `error looking up service account ${request.namespace}/${name}: ${cause}`);
}

function withAccount(pod: Pod, name: string, account: ServiceAccount, context: AdmissionContext): KubeObject {
  const pullSecrets = account.imagePullSecrets ?? [];
  const inherits = (pod.spec?.imagePullSecrets ?? []).length === 0 && pullSecrets.length > 0;
  const spec: PodSpec = {
    ...(pod.spec as PodSpec),
    serviceAccountName: name,
    serviceAccount: name,
    ...(inherits && { imagePullSecrets: pullSecrets }),
  };
  const automounts = pod.spec?.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  return { ...pod, spec: automounts ? withToken(spec, context) : spec } as unknown as KubeObject;
}

/** Every container that mounts nothing at the usual place sees the token there. */
function withToken(spec: PodSpec, { env }: AdmissionContext): PodSpec {
  const existing = (spec.volumes ?? []).find(({ name }) => name.startsWith(TOKEN_VOLUME_PREFIX));
  const name = existing?.name ?? `${TOKEN_VOLUME_PREFIX}${env.random.suffix(5)}`;
  const mount: VolumeMount = { name, readOnly: true, mountPath: TOKEN_MOUNT_PATH };
  const lacks = ({ volumeMounts }: Container) =>
    !(volumeMounts ?? []).some(({ mountPath }) => mountPath === TOKEN_MOUNT_PATH);
  const mounted = (container: Container): Container =>
    lacks(container) ? { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] } : container;
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  if (!all.some(lacks)) return spec;
  return {
    ...spec,
    ...(spec.initContainers !== undefined && { initContainers: spec.initContainers.map(mounted) }),
    containers: spec.containers.map(mounted),
    ...(existing === undefined && { volumes: [...(spec.volumes ?? []), tokenVolume(name)] }),
  };
}

/** Source: admission.go TokenVolumeSource. */
const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { path: "token", expirationSeconds: TOKEN_LIFETIME_SECONDS } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
  },
});
