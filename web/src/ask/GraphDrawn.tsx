import { useState } from "preact/hooks";
import type { Model } from "../types";
import { useWords } from "../words";
import { ELEMENT, type Graph } from "./given";
import { BONDS } from "./smiles";

const WIDE = 460;
const HIGH = 260;
const R = 17;
const STEP = 20;

/** A small graph, drawn by mouse, finger or keyboard. */
export function GraphDrawn(props: { model: Model; graph: Graph; onGraph: (graph: Graph) => void }) {
  const words = useWords();
  const { graph, model } = props;
  const [name, setName] = useState(model.graph?.nodes[0] ?? "C");
  const kinds = model.graph?.feature === ELEMENT ? Object.keys(BONDS) : (model.graph?.edges ?? []);
  const [kind, setKind] = useState(kinds[0] ?? "");
  const [chosen, setChosen] = useState<number | null>(null);
  const title = (n: number) => `${graph.nodes[n].name} ${n + 1}`;

  function add(x: number, y: number) {
    const nodes = [...graph.nodes, { name, x, y }];
    const edges = chosen === null ? graph.edges : [...graph.edges, { from: chosen, to: nodes.length - 1, kind }];
    props.onGraph({ nodes, edges });
    setChosen(nodes.length - 1);
  }
  function addSomewhere() {
    const angle = 2.4 * graph.nodes.length;
    const far = 18 * Math.sqrt(graph.nodes.length);
    add(WIDE / 2 + far * Math.cos(angle), HIGH / 2 + far * Math.sin(angle));
  }
  function press(n: number) {
    if (chosen === null || chosen === n) return setChosen(chosen === n ? null : n);
    join(n);
  }
  function join(n: number) {
    if (chosen === null) return;
    const same = ({ from, to }: { from: number; to: number }) => (from === chosen && to === n) || (from === n && to === chosen);
    const edges = graph.edges.some(same) ? graph.edges.filter((one) => !same(one)) : [...graph.edges, { from: chosen, to: n, kind }];
    props.onGraph({ ...graph, edges });
    setChosen(null);
  }
  function remove(n: number) {
    const place = (m: number) => (m > n ? m - 1 : m);
    const edges = graph.edges.filter(({ from, to }) => from !== n && to !== n);
    props.onGraph({
      nodes: graph.nodes.filter((_, m) => m !== n),
      edges: edges.map(({ from, to, kind }) => ({ from: place(from), to: place(to), kind })),
    });
    setChosen(null);
  }
  function move(n: number, x: number, y: number) {
    const inside = (value: number, most: number) => Math.max(R, Math.min(most - R, value));
    const moved = { ...graph.nodes[n], x: inside(graph.nodes[n].x + x, WIDE), y: inside(graph.nodes[n].y + y, HIGH) };
    props.onGraph({ ...graph, nodes: graph.nodes.map((node, m) => (m === n ? moved : node)) });
  }
  function onKey(event: KeyboardEvent, n: number) {
    const way: Record<string, [number, number]> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key in way) move(n, ...way[event.key]);
    else if (event.key === "Enter" || event.key === " ") press(n);
    else if (event.key === "Delete" || event.key === "Backspace") remove(n);
    else return;
    event.preventDefault();
  }

  return (
    <fieldset class="drawn-graph">
      <legend>{words.graph}</legend>
      <small class="quiet">{words.graphHint}</small>
      <svg
        class="graph board"
        viewBox={`0 0 ${WIDE} ${HIGH}`}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          add(((event.clientX - box.left) * WIDE) / box.width, ((event.clientY - box.top) * HIGH) / box.height);
        }}
      >
        <g class="edges">
          {graph.edges.map(({ from, to, kind }) => {
            const [a, b] = [graph.nodes[from], graph.nodes[to]];
            return (
              <g>
                <line x1={a.x} y1={a.y} x2={b.x} y2={b.y} stroke-width="2" />
                {kind && kind !== "single" && <text x={(a.x + b.x) / 2} y={(a.y + b.y) / 2 - 4} text-anchor="middle">{kind}</text>}
              </g>
            );
          })}
        </g>
        {graph.nodes.map((node, n) => (
          <g
            class={`node ${n === chosen ? "here" : ""}`}
            role="button"
            tabindex={0}
            aria-pressed={n === chosen}
            aria-label={title(n)}
            onClick={(event) => { event.stopPropagation(); press(n); }}
            onKeyDown={(event) => onKey(event, n)}
          >
            <circle class="c0" cx={node.x} cy={node.y} r={R} />
            <text x={node.x} y={node.y + 4} text-anchor="middle">{node.name.slice(0, 5)}</text>
          </g>
        ))}
      </svg>
      <div class="row">
        <Named label={words.node} value={name} known={model.graph?.nodes} onValue={setName} />
        <button type="button" onClick={addSomewhere}>{words.addNode}</button>
        {kinds.length > 0 && <Named label={words.edge} value={kind} known={kinds} onValue={setKind} />}
        {chosen !== null && graph.nodes.length > 1 && (
          <label>
            {words.join}
            <select value="" onChange={(event) => event.currentTarget.value && join(Number(event.currentTarget.value))}>
              <option value="">–</option>
              {graph.nodes.map((_, n) => n !== chosen && <option value={n}>{title(n)}</option>)}
            </select>
          </label>
        )}
        {chosen !== null && <button type="button" onClick={() => remove(chosen)}>{words.remove}</button>}
        {graph.nodes.length > 0 && <button type="button" onClick={() => { props.onGraph({ nodes: [], edges: [] }); setChosen(null); }}>{words.clear}</button>}
      </div>
      <p class="quiet" role="status">
        {words.nodes(graph.nodes.length)}, {words.edges(graph.edges.length)}
        {chosen !== null && `; ${words.chosenNode(title(chosen))}`}
      </p>
    </fieldset>
  );
}

/** A name of those that the model knows, or any where it says none. */
function Named(props: { label: string; value: string; known: string[] | undefined; onValue: (value: string) => void }) {
  return (
    <label>
      {props.label}
      {props.known?.length ? (
        <select value={props.value} onChange={(event) => props.onValue(event.currentTarget.value)}>
          {props.known.map((name) => <option>{name}</option>)}
        </select>
      ) : (
        <input type="text" size={6} value={props.value} onInput={(event) => props.onValue(event.currentTarget.value)} />
      )}
    </label>
  );
}
