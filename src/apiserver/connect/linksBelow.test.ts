import { describe, expect, test } from "vitest";
import { linkBelow, pageBelow } from "./linksBelow.ts";

const proxyPath = "/api/v1/namespaces/default/pods/web/proxy";
const base = { proxyPath, hosts: ["10.0.0.1:8080", "localhost:8001"] };

describe("a link", () => {
  test.each([
    ["to a path of the server stays below the proxy", "/login?next=%2F#a", `${proxyPath}/login?next=%2F#a`],
    ["to the root", "/", `${proxyPath}/`],
    ["that is there already is left alone", `${proxyPath}/x`, `${proxyPath}/x`],
    ["to what only begins like it is not there yet", `${proxyPath}s`, `${proxyPath}${proxyPath}s`],
    ["to the server by its address too", "http://10.0.0.1:8080/x", `${proxyPath}/x`],
    ["to the server by the client's name for it", "//localhost:8001/x", `${proxyPath}/x`],
    ["to the server alone", "http://10.0.0.1:8080", `${proxyPath}/`],
    ["from where the page is, is left alone", "login?a=/b", "login?a=/b"],
    ["to another server is left alone", "https://example.com/x", "https://example.com/x"],
    ["to another server with the same scheme is left alone", "//example.com/x", "//example.com/x"],
    ["to another port is left alone", "http://10.0.0.1:1/x", "http://10.0.0.1:1/x"],
    ["that is no path is left alone", "mailto:a@b", "mailto:a@b"],
    ["to a place of the page is left alone", "#top", "#top"],
    ["to what is no address is left alone", "http://[", "http://["],
    ["that is empty is left alone", "", ""],
  ])("%s", (_name, link, want) => expect(linkBelow(base, link)).toBe(want));
});

/** P stands for the proxy's path. */
describe("a page", () => {
  test.each([
    ["has its links changed", "<a href=\"/x\">x</a><img src='/y.png'>", "<a href=\"P/x\">x</a><img src='P/y.png'>"],
    ["may write them in capitals and without quotes", "<A CLASS=b HREF=/x >", "<A CLASS=b HREF=P/x >"],
    ["keeps what is no link", '<a title="/x" data-href="/y" href>/z', '<a title="/x" data-href="/y" href>/z'],
    ["keeps attributes of the same name elsewhere", '<p href="/x"><option src="/y">', '<p href="/x"><option src="/y">'],
    [
      "keeps scripts",
      '<script src="/a.js">f("<a href=\'/b\'>")</script><a href="/c">',
      '<script src="P/a.js">f("<a href=\'/b\'>")</script><a href="P/c">',
    ],
    ["keeps comments", '<!-- <a href="/x"> --><link href="/y"/>', '<!-- <a href="/x"> --><link href="P/y"/>'],
    ["may hold a > in an attribute", '<a alt="a>b" href="/x">', '<a alt="a>b" href="P/x">'],
    ["may hold a < that is none", 'a < b <1 <a href="/x">', 'a < b <1 <a href="P/x">'],
    ["keeps a tag that never ends", '<a href="/x"><a href="/y', '<a href="P/x"><a href="/y'],
    ["may join parameters", '<a href="/x?a=1&amp;b=2">', '<a href="P/x?a=1&amp;b=2">'],
  ])("%s", (_name, page, want) => {
    expect(pageBelow(base, page).replaceAll(proxyPath, "P")).toBe(want);
  });

  test.each(['<a "', "<a =", "<!-", "<script>", '<a b="', "<"])("of many %s is read in no time", (piece) => {
    const page = piece.repeat(200_000);
    expect(pageBelow(base, page)).toBe(page);
  });
});
