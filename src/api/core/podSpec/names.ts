/** What a pod is called and how it finds others: host names, DNS, host aliases. Source: core/validation (v1.36). */
import {
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalid,
  required,
  tooLong,
} from "../../../machinery/fieldErrors.ts";
import { dns1123SubdomainWithUnderscore } from "../../../machinery/names.ts";
import { because, each, label, legacyIp, neededOneOf, subdomain } from "../../checks.ts";
import type { PodDNSConfig, PodSpec } from "../../generated/core-v1.ts";

/** Source: MaxDNSNameservers, MaxDNSSearchPaths, MaxDNSSearchListChars. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;
/** Linux's limit on host names. Source: validatePodHostName. */
const HOSTNAME_BYTES_MAX = 64;
const POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

function dnsConfigErrors(config: PodDNSConfig | undefined, policy: string | undefined, path: FieldPath): FieldError[] {
  const { nameservers = [], searches = [], options } = config ?? {};
  if (policy === "None") {
    if (config === undefined) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    const reason = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    if (nameservers.length === 0) return [required(path.at("nameservers"), reason)];
  }
  const errors: FieldError[] = [];
  const [servers, search] = [path.at("nameservers"), path.at("searches")];
  if (nameservers.length > NAMESERVERS_MAX) {
    errors.push(invalid(servers, nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`));
  }
  errors.push(...each(servers, nameservers, (address, at) => legacyIp(at, address)));
  if (searches.length > SEARCHES_MAX) {
    errors.push(invalid(search, searches, `must not have more than ${SEARCHES_MAX} search paths`));
  }
  if (searches.join(" ").length > SEARCH_CHARACTERS_MAX) {
    const reason = `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`;
    errors.push(invalid(search, searches, reason));
  }
  const domains = each(search, searches, (name, at) => {
    const relative = name.endsWith(".") ? name.slice(0, -1) : name;
    return name === "." ? [] : because(at, relative, dns1123SubdomainWithUnderscore(relative));
  });
  const unnamed = each(path.at("options"), options, ({ name }, at) =>
    name ? [] : [required(at, "must not be empty")],
  );
  return [...errors, ...domains, ...unnamed];
}

export const validateDns = (spec: PodSpec, path: FieldPath): FieldError[] => [
  ...neededOneOf(path.at("dnsPolicy"), spec.dnsPolicy, POLICIES),
  ...dnsConfigErrors(spec.dnsConfig, spec.dnsPolicy, path.at("dnsConfig")),
];

/** Source: validatePodHostName. */
function overrideErrors(spec: PodSpec, path: FieldPath): FieldError[] {
  const name = spec.hostnameOverride;
  if (name === undefined) return [];
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN) {
    errors.push(forbiddenField(path, "may not be specified when setHostnameAsFQDN is true"));
  }
  if (spec.hostNetwork) errors.push(forbiddenField(path, "may not be specified when hostNetwork is true"));
  if (name.length > HOSTNAME_BYTES_MAX) errors.push(tooLong(path, HOSTNAME_BYTES_MAX));
  return [...errors, ...subdomain(path, name)];
}

export const validateHostnames = (spec: PodSpec, path: FieldPath): FieldError[] => [
  ...overrideErrors(spec, path.at("hostnameOverride")),
  ...(spec.hostname ? label(path.at("hostname"), spec.hostname) : []),
  ...(spec.subdomain ? label(path.at("subdomain"), spec.subdomain) : []),
  ...each(path.at("hostAliases"), spec.hostAliases, ({ ip, hostnames }, at) => [
    ...legacyIp(at.at("ip"), ip ?? ""),
    ...each(at.at("hostnames"), hostnames, (name, index) => subdomain(index, name)),
  ]),
];
