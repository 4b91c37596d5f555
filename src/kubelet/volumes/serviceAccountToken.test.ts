import { expect, test } from "vitest";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { forgetServiceAccountTokens, serviceAccountToken } from "./serviceAccountToken.ts";
import type { VolumeContext } from "./volumeSource.ts";

const HOUR_MS = 3_600_000;

test("a token is asked for once, again when most of its life is over, and again when its pod had gone", async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const client = {
    raw: async () => {
      asked += 1;
      const expirationTimestamp = new Date(clock.now() + HOUR_MS).toISOString();
      return { status: { token: `token ${asked}`, expirationTimestamp } };
    },
  };
  const context = (uid: string) =>
    ({
      client,
      env: { clock },
      pod: { metadata: { name: uid, namespace: "default", uid }, spec: { serviceAccountName: "default" } },
      renewAt: () => undefined,
    }) as unknown as VolumeContext;
  const token = (uid: string) => serviceAccountToken(context(uid), { path: "token" });
  expect([await token("a"), await token("a"), await token("b")]).toEqual(["token 1", "token 1", "token 2"]);
  await clock.advance(0.8 * HOUR_MS);
  expect([await token("a"), await token("b")]).toEqual(["token 3", "token 4"]);
  forgetServiceAccountTokens(client, "a");
  expect([await token("a"), await token("b")]).toEqual(["token 5", "token 4"]);
});
