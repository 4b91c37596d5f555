/** Names of the images that are part of this program; see the kubelet's built-in runtime. */
import { VERSION } from "../version.ts";

/** No registry has this name, and none is asked: the images are always there. */
const image = (component: string): string => `skiff.builtin/${component}:v${VERSION}`;

/** CoreDNS' part. */
export const DNS_IMAGE = image("dns");
/** kube-proxy's part. */
export const PROXY_IMAGE = image("service-proxy");
