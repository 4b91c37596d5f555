import { describe, expect, it } from "vitest";
import { machineNameservers, parseResolvConf, reachableNameservers } from "./resolvConf.ts";

const conf = (...servers: string[]) => servers.map((server) => `nameserver ${server}\n`).join("");

describe("resolvers", () => {
  it.each([
    {
      name: "elsewhere are asked from the node",
      servers: ["9.9.9.9", "10.0.0.2"],
      direct: "9.9.9.9 10.0.0.2",
      rest: "",
    },
    { name: "on loopback only from the machine", servers: ["127.0.0.11"], direct: "", rest: "127.0.0.11" },
    {
      name: "behind a stub are asked in its place",
      servers: ["127.0.0.53"],
      behind: "1.1.1.1",
      direct: "1.1.1.1",
      rest: "127.0.0.53",
    },
    { name: "of IPv6 only from the machine", servers: ["fe80::1%eth0", "::1"], direct: "", rest: "fe80::1%eth0 ::1" },
    {
      name: "of both kinds each from where it can be",
      servers: ["2001:db8::1", "9.9.9.9"],
      direct: "9.9.9.9",
      rest: "2001:db8::1",
    },
    { name: "may be none", servers: [], direct: "", rest: "" },
  ])("$name", ({ servers, behind, direct, rest }) => {
    expect(reachableNameservers(conf(...servers), behind === undefined ? "" : conf(behind)).join(" ")).toBe(direct);
    expect(machineNameservers(conf(...servers)).join(" ")).toBe(rest);
  });

  it("stand in a file with comments, searches of which the last counts, and options", () => {
    const text = "# mine\nsearch a b\nnameserver 9.9.9.9 ; quad\nsearch lan\noptions ndots:2 rotate\n";
    expect(parseResolvConf(text)).toEqual({
      nameservers: ["9.9.9.9"],
      searches: ["lan"],
      options: ["ndots:2", "rotate"],
    });
  });
});
