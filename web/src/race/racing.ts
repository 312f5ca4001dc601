import { predict } from "../api";
import type { Answer, Decision, Model } from "../types";

/** One way to write: a model, in one of its modes. */
export interface Lane {
  model: string;
  mode: string;
}

/** One step of a lane: what was decided together, and when it was there. */
export interface Phase {
  decisions: Decision[];
  ends: number;
}

/** What a lane wrote, and in how many milliseconds. */
export interface Run {
  lane: Lane;
  text: string;
  calls: number;
  milliseconds: number;
  phases: Phase[];
}

/** Modes that tell decision by decision how they wrote. */
export const TOLD = ["greedy", "verify", "nat"];
export const ROUNDS = 3;

/** The lanes of a race where nobody has chosen any: every way of every model that writes. */
export function usualLanes(models: Model[]): Lane[] {
  const lanes = models.flatMap((model) =>
    TOLD.filter((mode) => model.modes.includes(mode)).map((mode) => ({ model: model.name, mode })),
  );
  return lanes.slice(0, 3);
}

/** Each lane alone: once told decision by decision, which warms it up, then timed without; the fastest time counts. */
export async function raced(lanes: Lane[], input: string, signal: AbortSignal): Promise<Run[]> {
  const asked = ({ model, mode }: Lane, trace: boolean) =>
    predict({ model, input, sound: null }, { mode, trace }, signal);
  const answers: Answer[] = [];
  for (const lane of lanes) answers.push((await asked(lane, true)).answer);
  const best = lanes.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [n, lane] of lanes.entries()) best[n] = Math.min(best[n], (await asked(lane, false)).milliseconds);
  return lanes.map((lane, n) => {
    const { text = "", calls = 0, trace = [] } = answers[n];
    return { lane, text, calls, milliseconds: best[n], phases: phasesOf(trace, best[n]) };
  });
}

/** Decisions by the call that made them, a draft before the call that reads it; spread evenly over the time. */
export function phasesOf(trace: Decision[], milliseconds: number): Phase[] {
  const groups = new Map<number, Decision[]>();
  for (const decision of trace) {
    const place = decision.what === "draft" ? decision.call - 0.5 : decision.call;
    groups.set(place, [...(groups.get(place) ?? []), decision]);
  }
  const ordered = [...groups].sort(([a], [b]) => a - b).map(([, decisions]) => decisions);
  return ordered.map((decisions, n) => ({ decisions, ends: ((n + 1) * milliseconds) / ordered.length }));
}
