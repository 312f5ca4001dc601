import { predict, Refused, type Asked } from "../api";
import type { Answer, Model, View } from "../types";

/** A view, and how more of it is fetched where it was too large to come at once. */
export interface Viewed {
  number: number;
  view: View;
  mode: string;
  layers: number[] | null;
  more: (layer: number) => Promise<View>;
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
): Promise<Viewed | null> {
  const options: Record<string, unknown> = { attention: true };
  if (model.task === "transduce" && mode === "sample") options.target = answer.text;
  else if (model.task === "transduce") options.mode = mode;
  const fetched = async (layers?: number[]) =>
    (await predict(asked, layers ? { ...options, layers } : options, signal)).answer.view!;
  const more = (layer: number) => fetched([layer]);
  count += 1;
  try {
    return { number: count, view: await fetched(), mode, layers: null, more };
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 422) throw error;
    const most = Math.min(...Object.values(model.parts).map((part) => part.layers));
    if (!Number.isFinite(most)) return null;
    const layers = Array.from({ length: most }, (_, layer) => layer);
    return { number: count, view: await more(most - 1), mode, layers, more };
  }
}
