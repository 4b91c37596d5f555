/**
 * Validators of names. Each returns the reasons why a value is wrong, worded as upstream words them; no reason, no
 * mistake. Sources (v1.36): apimachinery util/validation/validation.go, api/validate/content, api/validation/name.go.
 */

type Reasons = string[];

/** Source: validation.go MaxLenError; `content` counts bytes where the older package says characters. */
const tooManyCharacters = (lengthMax: number) => `must be no more than ${lengthMax} characters`;
const tooManyBytes = (lengthMax: number) => `must be no more than ${lengthMax} bytes`;
const EMPTY = "must be non-empty";

export const regexError = (message: string, regex: string, ...examples: string[]): string =>
  examples.length === 0
    ? `${message} (regex used for validation is '${regex}')`
    : `${message} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${regex}')`;

export const inclusiveRangeError = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;

const byteLength = (text: string): number => Buffer.byteLength(text);
const whole = (regex: string): RegExp => new RegExp(`^(?:${regex})$`);

export const DNS1123_LABEL_LENGTH_MAX = 63;
export const DNS1123_SUBDOMAIN_LENGTH_MAX = 253;
export const DNS1035_LABEL_LENGTH_MAX = 63;
export const LABEL_VALUE_LENGTH_MAX = 63;
const PORT_NAME_LENGTH_MAX = 15;
const QUALIFIED_NAME_LENGTH_MAX = 63;

const LABEL_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_1123 = `${LABEL_1123}(\\.${LABEL_1123})*`;
const LABEL_1123_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_1123_UNDERSCORE = `${LABEL_1123_UNDERSCORE}(\\.${LABEL_1123_UNDERSCORE})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const WILDCARD_SUBDOMAIN = `\\*\\.${SUBDOMAIN_1123}`;
const QUALIFIED_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*";
const ENV_VAR_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*";
const CONFIG_MAP_KEY = "[-._a-zA-Z0-9]+";
const HTTP_HEADER_NAME = "[-A-Za-z0-9]+";
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const PERCENT = "[0-9]+%";

const label1123 = whole(LABEL_1123);
const subdomain1123 = whole(SUBDOMAIN_1123);
const subdomain1123Underscore = whole(SUBDOMAIN_1123_UNDERSCORE);
const label1035 = whole(LABEL_1035);
const wildcardSubdomain = whole(WILDCARD_SUBDOMAIN);
const qualifiedName = whole(QUALIFIED_NAME);
const labelValue = whole(LABEL_VALUE);
const cIdentifier = whole(C_IDENTIFIER);
const envVarName = whole(ENV_VAR_NAME);
const configMapKey = whole(CONFIG_MAP_KEY);
const httpHeaderName = whole(HTTP_HEADER_NAME);
const httpPath = whole(HTTP_PATH);
const percent = whole(PERCENT);

const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

export function dns1123Label(value: string): Reasons {
  const reasons: Reasons = [];
  if (byteLength(value) > DNS1123_LABEL_LENGTH_MAX) reasons.push(tooManyCharacters(DNS1123_LABEL_LENGTH_MAX));
  if (label1123.test(value)) return reasons;
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  reasons.push(
    subdomain1123.test(value) ? "must not contain dots" : regexError(message, LABEL_1123, "my-name", "123-abc"),
  );
  return reasons;
}

function subdomainReasons(value: string, tooLong: string): Reasons {
  const reasons: Reasons = byteLength(value) > DNS1123_SUBDOMAIN_LENGTH_MAX ? [tooLong] : [];
  if (!subdomain1123.test(value)) reasons.push(regexError(SUBDOMAIN_MESSAGE, SUBDOMAIN_1123, "example.com"));
  return reasons;
}

export const dns1123Subdomain = (value: string): Reasons =>
  subdomainReasons(value, tooManyCharacters(DNS1123_SUBDOMAIN_LENGTH_MAX));

export function dns1123SubdomainWithUnderscore(value: string): Reasons {
  const reasons: Reasons = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_LENGTH_MAX) reasons.push(tooManyCharacters(DNS1123_SUBDOMAIN_LENGTH_MAX));
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
  if (!subdomain1123Underscore.test(value)) reasons.push(regexError(message, SUBDOMAIN_1123_UNDERSCORE, "example.com"));
  return reasons;
}

export function dns1035Label(value: string): Reasons {
  const reasons: Reasons = [];
  if (byteLength(value) > DNS1035_LABEL_LENGTH_MAX) reasons.push(tooManyCharacters(DNS1035_LABEL_LENGTH_MAX));
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  if (!label1035.test(value)) reasons.push(regexError(message, LABEL_1035, "my-name", "abc-123"));
  return reasons;
}

export function wildcardDns1123Subdomain(value: string): Reasons {
  const reasons: Reasons = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_LENGTH_MAX) reasons.push(tooManyCharacters(DNS1123_SUBDOMAIN_LENGTH_MAX));
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  if (!wildcardSubdomain.test(value)) reasons.push(regexError(message, WILDCARD_SUBDOMAIN, "*.example.com"));
  return reasons;
}

const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** A label key: "example.com/name" or "name". Source: content.IsLabelKey. */
export function qualifiedNameReasons(value: string): Reasons {
  const described = regexError(QUALIFIED_MESSAGE, QUALIFIED_NAME, "MyName", "my.name", "123-abc");
  const parts = value.split("/");
  if (parts.length > 2) {
    return [`a valid label key ${described} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? "";
  const reasons = parts.length === 2 ? prefixReasons(parts[0] ?? "") : [];
  if (name === "") reasons.push(`name part ${EMPTY}`);
  else if (byteLength(name) > QUALIFIED_NAME_LENGTH_MAX) {
    reasons.push(`name part ${tooManyBytes(QUALIFIED_NAME_LENGTH_MAX)}`);
  }
  if (!qualifiedName.test(name)) reasons.push(`name part ${described}`);
  return reasons;
}

function prefixReasons(prefix: string): Reasons {
  if (prefix === "") return [`prefix part ${EMPTY}`];
  return subdomainReasons(prefix, tooManyBytes(DNS1123_SUBDOMAIN_LENGTH_MAX)).map((reason) => `prefix part ${reason}`);
}

export function labelValueReasons(value: string): Reasons {
  const reasons: Reasons = [];
  if (byteLength(value) > LABEL_VALUE_LENGTH_MAX) reasons.push(tooManyBytes(LABEL_VALUE_LENGTH_MAX));
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  if (!labelValue.test(value)) reasons.push(regexError(message, LABEL_VALUE, "MyValue", "my_value", "12345"));
  return reasons;
}

export function cIdentifierReasons(value: string): Reasons {
  const message =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return cIdentifier.test(value) ? [] : [regexError(message, C_IDENTIFIER, "my_name", "MY_NAME", "MyName")];
}

function parentDirectoryReasons(value: string): Reasons {
  if (value === ".") return ["must not be '.'"];
  if (value === "..") return ["must not be '..'"];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
}

export function envVarNameReasons(value: string): Reasons {
  const message =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
  const examples = ["my.env-name", "MY_ENV.NAME", "MyEnvName1"];
  const reasons = envVarName.test(value) ? [] : [regexError(message, ENV_VAR_NAME, ...examples)];
  return [...reasons, ...parentDirectoryReasons(value)];
}

/** What pods' `env` is held to since v1.34: printable ASCII without "=". Source: IsRelaxedEnvVarName. */
export function relaxedEnvVarNameReasons(value: string): Reasons {
  if (value === "") return [`environment variable name ${EMPTY}`];
  if (/^[ -<>-~]*$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function configMapKeyReasons(value: string): Reasons {
  const reasons: Reasons = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_LENGTH_MAX) reasons.push(tooManyCharacters(DNS1123_SUBDOMAIN_LENGTH_MAX));
  const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  if (!configMapKey.test(value)) {
    reasons.push(regexError(message, CONFIG_MAP_KEY, "key.name", "KEY_NAME", "key-name"));
  }
  return [...reasons, ...parentDirectoryReasons(value)];
}

export function portNameReasons(value: string): Reasons {
  const reasons: Reasons = [];
  if (byteLength(value) > PORT_NAME_LENGTH_MAX) reasons.push(tooManyCharacters(PORT_NAME_LENGTH_MAX));
  if (!/^[-a-z0-9]+$/.test(value)) {
    reasons.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) reasons.push("must contain at least one letter (a-z)");
  if (value.includes("--")) reasons.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) reasons.push("must not begin or end with a hyphen");
  return reasons;
}

const inRange = (value: number, low: number, high: number): Reasons =>
  value >= low && value <= high ? [] : [inclusiveRangeError(low, high)];

export const rangeReasons = inRange;
export const portNumberReasons = (port: number): Reasons => inRange(port, 1, 65535);
/** Source: validation.go maxUserID (MaxInt32 since v1.35). */
export const userIdReasons = (id: number): Reasons => inRange(id, 0, 2_147_483_647);
export const groupIdReasons = userIdReasons;

export const percentReasons = (value: string): Reasons =>
  percent.test(value)
    ? []
    : [regexError("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, "1%", "93%")];

export function httpHeaderNameReasons(value: string): Reasons {
  const message = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return httpHeaderName.test(value) ? [] : [regexError(message, HTTP_HEADER_NAME, "X-Header-Name")];
}

export const httpPathReasons = (value: string): Reasons =>
  httpPath.test(value) ? [] : [regexError("Invalid path", HTTP_PATH)];

/** What may stand in a URL's path. Source: content.IsPathSegmentName. */
export function pathSegmentReasons(value: string): Reasons {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((illegal) => value.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
}

/**
 * What a `generateName` prefix is checked as: a trailing dash will be followed by letters.
 * Source: api/validation/name.go maskTrailingDash.
 */
export const maskTrailingDash = (name: string): string =>
  name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
