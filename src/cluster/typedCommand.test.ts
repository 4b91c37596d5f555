import { expect, test } from "vitest";
import { typedCommand } from "./typedCommand.ts";

test.each([
  { name: "on the PATH it is called by its name", npmCommand: undefined, isOnPath: true, want: "skiff up" },
  { name: "from a checkout it needs npx", npmCommand: undefined, isOnPath: false, want: "npx skiff up" },
  { name: "who typed npx has it on the PATH only within", npmCommand: "exec", isOnPath: true, want: "npx skiff up" },
  { name: "and so has who typed npm start", npmCommand: "start", isOnPath: true, want: "npx skiff up" },
  {
    name: "another cluster is named",
    npmCommand: undefined,
    isOnPath: true,
    cluster: "web",
    want: "skiff up --name web",
  },
  { name: "the default one is not", npmCommand: undefined, isOnPath: true, cluster: "skiff", want: "skiff up" },
])("$name", ({ cluster, want, ...typing }) => {
  expect(typedCommand("up", cluster, typing)).toBe(want);
});
