import { describe, expect, test } from "vitest";
import { normalizeName, parseReference } from "./reference.ts";

const digest = `sha256:${"ab".repeat(32)}`;

describe("image names in full", () => {
  const cases = [
    {
      name: "a bare word is an official image of Docker Hub, latest",
      from: "nginx",
      to: "docker.io/library/nginx:latest",
    },
    { name: "a tag stays", from: "go-api:0.0.2", to: "docker.io/library/go-api:0.0.2" },
    { name: "a path is a repository of Docker Hub", from: "me/app:1", to: "docker.io/me/app:1" },
    {
      name: "a first part with a dot is a registry",
      from: "registry.k8s.io/pause:3.10",
      to: "registry.k8s.io/pause:3.10",
    },
    { name: "a first part with a port is a registry", from: "box:5000/app", to: "box:5000/app:latest" },
    { name: "localhost is a registry", from: "localhost/app", to: "localhost/app:latest" },
    { name: "a full name is itself", from: "docker.io/library/go-api:0.0.2", to: "docker.io/library/go-api:0.0.2" },
    { name: "docker.io without library gets it", from: "docker.io/nginx", to: "docker.io/library/nginx:latest" },
    { name: "the old name of Docker Hub is the new one", from: "index.docker.io/a/b", to: "docker.io/a/b:latest" },
    { name: "a digest stays", from: `app@${digest}`, to: `docker.io/library/app@${digest}` },
    { name: "a digest beats a tag", from: `app:1@${digest}`, to: `docker.io/library/app@${digest}` },
  ];
  test.each(cases)("$name", ({ from, to }) => expect(normalizeName(from)).toBe(to));
});

describe("names that are refused", () => {
  const cases = [
    "",
    "UPPER",
    "a/B/c",
    "app:",
    "app:bad tag",
    "app@sha256:12",
    "-a",
    "a//b",
    "https://host/app",
    `a@${digest}@x`,
  ];
  test.each(cases)("%j", (name) => expect(() => parseReference(name)).toThrow("invalid reference format"));
});
