import { describe, expect, test } from "vitest";
import { resolveUser } from "./user.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n";
const group = "root:x:0:\napp:x:1001:\nwheel:x:10:root,app\n";
const none = { supplementalGroups: [] };

describe("whom a container runs as", () => {
  const cases = [
    { name: "nothing said is root", image: "", asked: none, want: [0, 0, "0,10", "/root"] },
    { name: "by name, with its groups", image: "app", asked: none, want: [1000, 1001, "10,1001", "/home/app"] },
    {
      name: "by number, with what the image knows of it",
      image: "1000",
      asked: none,
      want: [1000, 1001, "10,1001", "/home/app"],
    },
    { name: "by a number that the image does not know", image: "4242", asked: none, want: [4242, 0, "0", "/"] },
    { name: "user and group by name", image: "app:wheel", asked: none, want: [1000, 10, "10", "/home/app"] },
    { name: "user and group by number", image: "7:8", asked: none, want: [7, 8, "8", "/"] },
    {
      name: "the pod's user beats the image's",
      image: "app",
      asked: { ...none, runAsUser: 5 },
      want: [5, 0, "0", "/"],
    },
    {
      name: "the pod's group and further groups",
      image: "app",
      asked: { runAsGroup: 9, supplementalGroups: [11, 10] },
      want: [1000, 9, "9,10,11", "/home/app"],
    },
  ];
  test.each(cases)("$name", ({ image, asked, want }) => {
    const user = resolveUser(image, { passwd, group }, asked);
    expect([user.uid, user.gid, user.additionalGids.join(","), user.home]).toEqual(want);
  });

  test.each(["nobody", "app:nobody"])("%s, whom the image does not know, is an error", (name) => {
    expect(() => resolveUser(name, { passwd, group }, none)).toThrow("no matching entries");
  });

  test("an image without these files runs as root", () => {
    expect(resolveUser("", { passwd: "", group: "" }, none)).toEqual({
      uid: 0,
      gid: 0,
      additionalGids: [0],
      home: "/",
    });
  });
});
