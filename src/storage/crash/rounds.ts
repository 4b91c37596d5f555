import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../lib/random.ts";
import type { SqliteOptions } from "../engines/sqliteFile.ts";
import { crashRound, EMPTY_START, type RoundStart } from "./round.ts";

/** A file is crashed this often, each time from where one of the last crashes left it; then comes an empty one. */
const ROUNDS_PER_FILE = 10;

export interface CrashSummary {
  rounds: number;
  acknowledged: number;
  /** Requests to the disk that were followed. */
  steps: number;
  killProblems: string[];
  powerProblems: string[];
}

export interface CrashOptions {
  readonly rounds: number;
  readonly seed: string;
  readonly storage?: Partial<SqliteOptions>;
  onRound?(summary: CrashSummary): void;
}

/** Crashes storages in a temporary directory, and says what got lost. */
export async function crashRounds({ rounds, seed, storage, onRound }: CrashOptions): Promise<CrashSummary> {
  const directory = mkdtempSync(join(tmpdir(), "skiff-crash-"));
  const random = seededRandom(seed);
  const summary: CrashSummary = { rounds: 0, acknowledged: 0, steps: 0, killProblems: [], powerProblems: [] };
  try {
    let start = EMPTY_START;
    for (let round = 0; round < rounds; round++) {
      const result = await crashRound(directory, start, `${seed}-${round}`, random, storage);
      const named = (problem: string) => `round ${round} of seed ${seed}: ${problem}`;
      summary.rounds++;
      summary.acknowledged += result.acknowledged;
      summary.steps += result.steps;
      summary.killProblems.push(...result.killProblems.map(named));
      summary.powerProblems.push(...result.powerProblems.map(named));
      const broken = result.killProblems.length + result.powerProblems.length > 0;
      const next = result.ends[random.int(result.ends.length)] as RoundStart;
      start = broken || round % ROUNDS_PER_FILE === ROUNDS_PER_FILE - 1 ? EMPTY_START : next;
      onRound?.(summary);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return summary;
}
