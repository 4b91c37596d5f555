/** Names of the images that are part of this program; see the kubelet's built-in runtime. */
import { VERSION } from "../version.ts";

/** No registry has this name, and none is asked: the images are always there. */
const image = (component: string): string => `skiff.builtin/${component}:v${VERSION}`;

/** What CoreDNS is elsewhere. */
export const DNS_IMAGE = image("dns");
/** What kube-proxy is elsewhere. */
export const PROXY_IMAGE = image("service-proxy");
/** Components of the control plane, by the names of their pods. */
export const COMPONENT_IMAGES = {
  etcd: image("sqlite-store"),
  "kube-apiserver": image("apiserver"),
  "kube-controller-manager": image("controller-manager"),
  "kube-scheduler": image("scheduler"),
} as const;

export type ComponentName = keyof typeof COMPONENT_IMAGES;
