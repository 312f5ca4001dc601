import type { Asked } from "../api";
import type { Model } from "../types";
import type { Words } from "../words";
import { smilesOf } from "./smiles";

export interface Graph {
  nodes: { name: string; x: number; y: number }[];
  edges: { from: number; to: number; kind: string }[];
}

/** What a person has put in, in every way in which something can be put in. */
export interface Given {
  text: string;
  sound: File | null;
  graph: Graph;
}

export const NOTHING: Given = { text: "", sound: null, graph: { nodes: [], edges: [] } };

/** Whether there is something to ask. */
export function isThere(model: Model, given: Given): boolean {
  if (model.input === "sound") return given.sound !== null;
  return given.text.trim() !== "" || (model.input === "graph" && given.graph.nodes.length > 0);
}

/** What is sent. Throws an Error with a sentence where vectors are none. */
export function asked(model: Model, given: Given, words: Words): Asked {
  if (model.input === "sound") return { model: model.name, input: null, sound: given.sound };
  const input =
    model.input === "vectors"
      ? vectors(given.text, words)
      : model.input === "graph" && !given.text.trim()
        ? drawn(given.graph, model.graph?.feature ?? "")
        : given.text;
  return { model: model.name, input, sound: null };
}

/** The feature by which atoms are known: such a graph is sent as SMILES, so that what else is known of atoms is found. */
export const ELEMENT = "element";
const WORD = "word";

function drawn(graph: Graph, feature: string): unknown {
  if (feature === ELEMENT) return smilesOf(graph);
  const edges = graph.edges.map(({ from, to, kind }) => (kind ? [from, to, kind] : [from, to]));
  const nodes = graph.nodes.map(({ name }) => (feature && feature !== WORD ? { [feature]: name } : name));
  return { nodes, edges };
}

function vectors(text: string, words: Words): number[][] {
  const lines = text.trim().split("\n");
  const rows = lines.map((line) => line.trim().split(/[\s,]+/).map(Number));
  rows.forEach((row, i) => {
    if (row.length !== rows[0].length || row.some((one) => !Number.isFinite(one))) throw new Error(words.vectorsBad(i + 1));
  });
  return rows;
}
