/**
 * Links of what is proxied, led below the proxy's path: of redirects and of HTML pages, so that a page in the cluster
 * works in a browser. Source: apimachinery util/proxy/transport.go. Pure, and linear in the length of the page.
 */

/** Which attributes of which elements are links. Source: transport.go, atomsToAttrs. */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["src", "usemap", "formaction"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** What is in them is text, whatever it looks like. Source: golang.org/x/net/html, Tokenizer.readStartTag. */
const RAW_TEXT = new Set(["iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp"]);

export interface LinkBase {
  /** Without a slash at its end. */
  readonly proxyPath: string;
  /** Names by which the server may mean itself. */
  readonly hosts: readonly string[];
}

const LINK = /^(?:[a-z][a-z0-9+.-]*:)?(\/\/[^/?#]*)?(.*)$/is;

/** Paths from the root, and addresses of the server itself, are led below the proxy; all else stays as it is. */
export function linkBelow({ proxyPath, hosts }: LinkBase, link: string): string {
  const [, authority, path = ""] = LINK.exec(link) ?? [];
  if (authority === undefined ? !link.startsWith("/") : !hosts.includes(authority.slice(2))) return link;
  if (authority !== undefined && !path.startsWith("/")) return path === "" ? `${proxyPath}/` : link;
  return path === proxyPath || path.startsWith(`${proxyPath}/`) ? path : `${proxyPath}${path}`;
}

/** The page with its links changed; a tag that never ends, and what follows it, is left as it is. */
export function pageBelow(base: LinkBase, page: string): string {
  const lowered = page.toLowerCase();
  const parts: string[] = [];
  let copied = 0;
  let at = 0;
  for (;;) {
    at = page.indexOf("<", at);
    if (at < 0) break;
    if (page.startsWith("<!--", at)) {
      at = page.indexOf("-->", at + 4);
      if (at < 0) break;
      continue;
    }
    const tag = readTag(page, lowered, at);
    if (tag === undefined) {
      at += 1;
      continue;
    }
    if (tag.end < 0) break;
    for (const { start, end } of tag.links) {
      const link = page.slice(start, end);
      const changed = linkBelow(base, link.replaceAll("&amp;", "&"));
      parts.push(page.slice(copied, start), changed === link.replaceAll("&amp;", "&") ? link : escaped(changed));
      copied = end;
    }
    at = tag.end;
    if (RAW_TEXT.has(tag.name)) at = lowered.indexOf(`</${tag.name}`, at);
    if (at < 0) break;
  }
  return parts.join("") + page.slice(copied);
}

const escaped = (link: string): string =>
  link.replaceAll("&", "&amp;").replaceAll('"', "&#34;").replaceAll("'", "&#39;");

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Tag {
  readonly name: string;
  readonly links: readonly Span[];
  /** Where the tag ends; -1: it does not. */
  readonly end: number;
}

const TAG_NAME = /<([a-z][^\s/>]*)/y;
const ATTRIBUTE = /[\s/]*(?:(>)|([^\s/>=]+|=[^\s/>=]*)\s*(?:=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>][^\s>]*)|(?=>)))?)/dy;

/** The start tag at this place of the page; undefined: there is none. */
function readTag(page: string, lowered: string, at: number): Tag | undefined {
  TAG_NAME.lastIndex = at;
  const name = TAG_NAME.exec(lowered)?.[1];
  if (name === undefined) return undefined;
  const wanted = LINKS[name] ?? [];
  const links: Span[] = [];
  ATTRIBUTE.lastIndex = at + 1 + name.length;
  for (;;) {
    const found = ATTRIBUTE.exec(page);
    if (found === null) return { name, links, end: -1 };
    if (found[1] !== undefined) return { name, links, end: ATTRIBUTE.lastIndex };
    const [start, end] = found.indices?.[3] ?? found.indices?.[4] ?? found.indices?.[5] ?? [];
    if (start !== undefined && end !== undefined && wanted.includes((found[2] ?? "").toLowerCase()))
      links.push({ start, end });
  }
}
