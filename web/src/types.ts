/** What the server says, as docs/serving.md and /openapi.json have it. */

export type Task = "tag" | "classify" | "regress" | "transduce";
export type Kind = "text" | "sound" | "graph" | "vectors";
export type Part = "encoder" | "decoder" | "cross";

export interface Model {
  name: string;
  task: Task;
  input: Kind;
  modes: string[];
  streams: boolean;
  version: string;
  parameters: number;
  labels: string[] | null;
  max_length: number;
  over_long: string;
  max_seconds: number | null;
  parts: Partial<Record<Part, { layers: number; heads: number }>>;
  attributions: "given" | "package" | "decoder";
  graph: { feature: string; nodes: string[]; edges: string[] } | null;
}

/** A refusal (RFC 9457): the sentence, which kind it is, and the numbers and names of the sentence. */
export interface Problem {
  detail: string;
  code?: string;
  input?: number;
  found?: number;
  allowed?: number;
  unit?: string;
  mebibytes?: number;
  seconds?: number;
  waiting?: number;
  again?: number;
  name?: string;
  kind?: string;
  package?: string;
  extra?: string;
}

/** One decision on the way to a new sequence: what, at which place, in which call of a decoder. */
export interface Decision {
  what: string;
  where: number;
  taken: string | number;
  log_p: number;
  others: [string | number, number][];
  call: number;
}

export interface Answer {
  source: unknown;
  text?: string;
  tokens?: string[];
  score?: number;
  calls?: number;
  trace?: Decision[];
  alternatives?: Answer[];
  elements?: string[];
  labels?: string[];
  label?: string;
  scores?: number[] | Record<string, number>;
  value?: number;
  view?: View;
  computation?: Computation;
}

/** Attention of one part: `weights` are layers of heads of rows (who looks) of numbers (what is looked at). */
export interface AttentionMap {
  part: Part;
  told: string;
  layers: number[];
  heads: number[];
  asking: string[];
  asked: string[];
  weights: number[][][][];
}

export type Scene =
  | { kind: "spectrogram"; seconds: number; values: number[][] }
  | { kind: "graph"; places: [number, number][]; edges: [number, number][]; directed: boolean };

/** What each element added to one output: together output − baseline, the output where nothing is known of the input. */
export interface Attribution {
  of: string;
  method: string;
  elements: string[];
  values: number[];
  baseline: number;
  output: number;
}

/** `View.as_json` of Python: every place draws this and nothing else. */
export interface View {
  format: number;
  task: Task;
  input: Kind;
  source: string;
  answer: Omit<Answer, "source">;
  outputs: string[];
  part: Part;
  maps: AttentionMap[];
  missing: Partial<Record<Part, string>>;
  trace: Decision[];
  scene: Scene | null;
  attributions: Attribution[];
  note: string;
}

/** The numbers of one head, in the order in which they are computed. */
export interface Computation {
  part: Part;
  layer: number;
  head: number;
  asking: string[];
  asked: string[];
  score: string;
  normalizer: string;
  scale: number | null;
  x: number[][];
  memory: number[][];
  q: number[][];
  k: number[][];
  v: number[][];
  weight: number[] | null;
  compared: { q: number[][]; k: number[][] } | null;
  scores: number[][];
  bias: number[][] | null;
  allowed: boolean[][] | null;
  weights: number[][];
  output: number[][];
}

export interface Running {
  name: string;
  state: "running" | "ended" | "silent";
  step: number;
  steps: number | null;
  changed: number;
  latest: Record<string, TrainingEvent>;
}

/** A line of metrics.jsonl: start, step, valid or end, with its figures. */
export type TrainingEvent = { event: string; step: number } & Record<string, unknown>;

/** What a served run says of itself. */
export interface Card {
  model: Model;
  metrics: Record<string, Record<string, number>>;
  baselines: Record<string, Record<string, Record<string, number>>>;
  signatures: Record<string, string>;
  facts: Record<string, number>;
  settings: Record<string, unknown>;
  data: Record<string, string>;
  machine: Record<string, unknown>;
}
