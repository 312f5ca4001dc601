import { predict, Refused, type Asked } from "../api";
import type { Answer, Attribution, Model, View } from "../types";

/** A view, how more of it is fetched where it was too large to come at once, and what each element added to an output. */
export interface Viewed {
  number: number;
  view: View;
  mode: string;
  layers: number[] | null;
  more: (layer: number) => Promise<View>;
  attributed: (output: number | null, signal: AbortSignal) => Promise<Attribution[]>;
}

let count = 0;

/**
 * Where the model looked for an answer: all of it, or one layer where all of it is more than the server sends.
 * What was drawn by chance is looked at as it was drawn: its text is given back as what is written.
 */
export async function fetchView(
  model: Model,
  asked: Asked,
  mode: string,
  answer: Answer,
  signal?: AbortSignal,
): Promise<Viewed> {
  const options: Record<string, unknown> = { attention: true };
  if (model.task === "transduce" && mode === "sample") options.target = answer.text;
  else if (model.task === "transduce") options.mode = mode;
  const fetched = async (layers?: number[]) =>
    (await predict(asked, layers ? { ...options, layers } : options, signal)).answer.view!;
  const more = (layer: number) => fetched([layer]);
  const attributed = async (output: number | null, stop: AbortSignal) => {
    const few = Object.keys(model.parts).length ? { layers: [0], heads: [0] } : {};
    const which = output === null ? {} : { outputs: [output] };
    return (await predict(asked, { ...options, ...few, attributions: true, ...which }, stop)).answer.view!.attributions;
  };
  count += 1;
  const rest = { number: count, mode, more, attributed };
  try {
    return { ...rest, view: await fetched(), layers: null };
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.code !== "view_size") throw error;
    const most = Math.min(...Object.values(model.parts).map((part) => part.layers));
    const layers = Array.from({ length: most }, (_, layer) => layer);
    return { ...rest, view: await more(most - 1), layers };
  }
}
