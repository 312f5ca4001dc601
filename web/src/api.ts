import type { Answer, Card, Model, Problem, Running, TrainingEvent } from "./types";

/** What the server refuses: the status, and what it says of it; nothing where it does not answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail);
  }
}

/** What is asked: inputs as JSON, or a sound as it is. */
export interface Asked {
  model: string;
  input: unknown;
  sound: File | null;
}

export interface Predicted {
  answer: Answer;
  version: string;
  milliseconds: number;
}

export interface Heard {
  name: string;
  data: Record<string, unknown>;
}

let key = "";

/** The key that goes with every request from now on; kept by nobody when the page is closed. */
export function useKey(given: string): void {
  key = given;
}

async function fetched(path: string, more: RequestInit = {}): Promise<Response> {
  const headers = new Headers(more.headers);
  if (key) headers.set("Authorization", `Bearer ${key}`);
  let response: Response;
  try {
    response = await fetch(path, { ...more, headers });
  } catch (error) {
    if (more.signal?.aborted) throw error;
    throw new Refused(0, { detail: "" });
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => null);
  throw new Refused(response.status, told?.detail ? told : { detail: response.statusText });
}

/** A request for an answer: JSON, or the sound itself with its options in the address. */
function request(asked: Asked, options: Record<string, unknown>): [string, RequestInit] {
  if (!asked.sound) {
    const body = JSON.stringify({ inputs: [asked.input], model: asked.model, ...options });
    return ["v1/predict", { method: "POST", headers: { "Content-Type": "application/json" }, body }];
  }
  const query = new URLSearchParams({ model: asked.model });
  for (const [name, value] of Object.entries(options))
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  const kind = asked.sound.type.startsWith("audio/") ? asked.sound.type : "audio/wav";
  return [`v1/predict?${query}`, { method: "POST", headers: { "Content-Type": kind }, body: asked.sound }];
}

/** One answer. */
export async function predict(
  asked: Asked,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Predicted> {
  const [path, how] = request(asked, options);
  const response = await fetched(path, { ...how, signal });
  const told = await response.json();
  const timing = /dur=([\d.]+)/.exec(response.headers.get("Server-Timing") ?? "");
  return { answer: told.answers[0], version: told.version, milliseconds: timing ? Number(timing[1]) : 0 };
}

/** The events of an answer as they come. */
export async function* written(
  asked: Asked,
  options: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Heard> {
  const [path, how] = request(asked, { ...options, stream: true });
  yield* heard(await fetched(path, { ...how, signal }));
}

/** The events of a training as they are written; `after` leads to those that follow. */
export async function* live(run: string, after: string, signal: AbortSignal): AsyncGenerator<Heard> {
  yield* heard(await fetched(`v1/runs/live?${new URLSearchParams({ run, after })}`, { signal }));
}

/** Server-sent events of a response; `EventSource` can send no key. */
async function* heard(response: Response): AsyncGenerator<Heard> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
        );
        if (fields.event) yield { name: fields.event, data: JSON.parse(fields.data) };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

export async function models(): Promise<Model[]> {
  return (await (await fetched("v1/models")).json()).models;
}

export async function runs(): Promise<Running[]> {
  return (await (await fetched("v1/runs")).json()).runs;
}

export async function metrics(model: string): Promise<TrainingEvent[]> {
  return (await (await fetched(`v1/models/${encodeURIComponent(model)}/metrics`)).json()).events;
}

export async function card(model: string): Promise<Card> {
  return (await fetched(`v1/models/${encodeURIComponent(model)}/card`)).json();
}
