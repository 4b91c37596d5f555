/**
 * npm run bench [NAME…]: runs all benchmarks, or those named, prints medians with their spread and writes them as JSON to
 * bench/results/. Needs root and the system packages that `skiff doctor` asks for; run it on a machine that is otherwise
 * idle.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { api } from "./api.ts";
import { durableCreates } from "./durableCreates.ts";
import { type Benchmark, describeFigure, summary } from "./figure.ts";
import { idle } from "./idle.ts";
import { podStart } from "./podStart.ts";
import { up } from "./up.ts";

const benchmarks: readonly Benchmark[] = [up, podStart, durableCreates, api, idle];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !benchmarks.some((one) => one.name === name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are: ${benchmarks.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}
const results = join(import.meta.dirname, "results");
mkdirSync(results, { recursive: true });
for (const benchmark of benchmarks.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
  console.log(`\n${benchmark.name}`);
  const figures = await benchmark.run();
  for (const figure of figures) console.log(`  ${describeFigure(figure)}`);
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  writeFileSync(
    join(results, `${benchmark.name}.json`),
    `${JSON.stringify({ machine, figures: figures.map(summary) }, null, 2)}\n`,
  );
}
process.exit(0);
