const PROXY_PATH = /^(\/api\/v1\/(?:namespaces\/[^/]+\/)?(?:pods|services|nodes)\/[^/]+\/proxy)(\/.*)?$/;

/** The path of the proxy, and what follows it as the client wrote it: escapes, slashes and all. */
export function splitProxyPath(path: string): { readonly proxyPath: string; readonly rest: string } {
  const [, proxyPath = path, rest = ""] = PROXY_PATH.exec(path) ?? [];
  return { proxyPath, rest };
}

/** Whether what is asked for lies behind the proxy, so that the body is not ours to read. `url`: the path and a query. */
export const isPassedOn = (url: string): boolean => PROXY_PATH.test(url.split("?", 1)[0] as string);
