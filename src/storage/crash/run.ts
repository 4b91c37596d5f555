/** `npm run crash -- --rounds 1000 --seed 1`: crashes storages, and fails when anything acknowledged is lost. */
import { pid, stdout } from "node:process";
import { parseArgs } from "node:util";
import { crashRounds } from "./rounds.ts";

const ROUNDS_PER_LINE = 25;
const PROBLEMS_SHOWN_MAX = 20;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "1000" }, seed: { type: "string", default: `${pid}` } },
});
const rounds = Number(values.rounds);

console.log(`${rounds} rounds with seed ${values.seed}: a SIGKILL and two power cuts each`);
const summary = await crashRounds({
  rounds,
  seed: values.seed,
  onRound: (so) => {
    if (so.rounds % ROUNDS_PER_LINE !== 0 && so.rounds !== rounds) return;
    const lost = so.killProblems.length + so.powerProblems.length;
    stdout.write(
      `  round ${so.rounds}: ${so.acknowledged} acknowledged writes, ${so.steps} disk steps, ${lost} problems\n`,
    );
  },
});

const problems = [...summary.killProblems, ...summary.powerProblems];
for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) console.error(problem);
const verdict = problems.length === 0 ? "nothing lost" : `${problems.length} PROBLEMS`;
console.log(`${summary.rounds} crashes, ${summary.rounds * 2} power cuts, ${summary.acknowledged} writes: ${verdict}`);
process.exitCode = problems.length === 0 ? 0 : 1;
