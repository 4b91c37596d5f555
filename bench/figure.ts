/** What a benchmark measures, and how its numbers are summed up. */

export interface Figure {
  /** "pod create to Running, one" */
  readonly name: string;
  readonly unit: string;
  /** One number per run. */
  readonly samples: readonly number[];
  /** What the design aims at, as words. */
  readonly aim?: string;
}

/** One file per figure or family of figures; `run.ts` lists them. */
export interface Benchmark {
  readonly name: string;
  run(): Promise<readonly Figure[]>;
}

export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(position)] ?? Number.NaN, sorted[Math.ceil(position)] ?? Number.NaN];
  return low + (high - low) * (position - Math.floor(position));
}

const round = (value: number) => (Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 10) / 10);

/** "pod create to Running, one: 92 ms (min 80, p90 120, max 140; 10 runs; aim: p50 150 ms)" */
export function describeFigure({ name, unit, samples, aim }: Figure): string {
  const at = (share: number) => round(quantile(samples, share)).toLocaleString("en");
  const spread = `min ${at(0)}, p90 ${at(0.9)}, max ${at(1)}; ${samples.length} runs`;
  return `${name}: ${at(0.5)} ${unit} (${spread}${aim === undefined ? "" : `; aim: ${aim}`})`;
}

export const summary = (figure: Figure) => ({
  ...figure,
  median: quantile(figure.samples, 0.5),
  min: quantile(figure.samples, 0),
  p90: quantile(figure.samples, 0.9),
  max: quantile(figure.samples, 1),
});
