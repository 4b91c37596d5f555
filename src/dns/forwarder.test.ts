import { expect, it } from "vitest";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import { createForwarder } from "./forwarder.ts";

/** A question for the name of one letter; the answer is the same with the flag of answers. */
const question = (letter: string) =>
  Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, letter.charCodeAt(0), 0, 0, 1, 0, 1]);

function start(upstreams: () => readonly string[], fails: (upstream: string) => boolean = () => false) {
  const clock = new VirtualClock(0);
  const asked: string[] = [];
  const env = { clock, random: seededRandom("forwarder"), log: silentLog };
  const forwarder = createForwarder(env, upstreams, async (upstream, message) => {
    asked.push(upstream);
    if (fails(upstream)) throw new Error("refused");
    const answer = Uint8Array.from(message);
    answer[2] = 0x81;
    return answer;
  });
  return { clock, asked, ask: (letter: string) => forwarder.forward(question(letter), "udp") };
}

it("asks the resolvers that the machine has now", async () => {
  let upstreams = ["home"];
  const { clock, asked, ask } = start(() => upstreams);
  await ask("a");
  upstreams = ["office"];
  await ask("b");
  await clock.advance(5_000);
  await ask("c");
  expect(asked).toEqual(["home", "home", "office"]);
});

it("asks all of them before it asks one again, and gives up", async () => {
  const { asked, ask } = start(
    () => ["one", "two"],
    () => true,
  );
  expect(await ask("a")).toBeUndefined();
  expect(asked).toHaveLength(6);
  expect(new Set(asked.slice(0, 2)).size).toBe(2);
});
