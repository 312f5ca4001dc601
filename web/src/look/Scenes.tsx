import type { Scene } from "../types";
import { useWords } from "../words";
import { cells, cut, three, type Picture } from "./picture";
import { signed } from "./signs";

const WIDE = 860;
const HIGH = 130;
const STRIP = 18;
const SIDE = 460;
const MARGIN = 34;
const THICK = 9;
const FAINT = 0.02;

/** A sound by time and pitch, and below it in shades what was taken of every stretch of it. */
export function SoundScene(props: {
  scene: Extract<Scene, { kind: "spectrogram" }>;
  shades: number[];
  classes?: string[];
  label?: string;
}) {
  const words = useWords();
  const { scene, shades } = props;
  const across = Math.max(scene.values.length, 1);
  const high = scene.values[0]?.length ?? 1;
  const loud = Array.from({ length: high }, (_, band) =>
    scene.values.map((frame) => Math.min(7, Math.floor(8 * frame[high - 1 - band]))),
  );
  const seconds = scene.seconds.toFixed(2);
  return (
    <svg class="sound" role="img" aria-label={props.label ?? words.spectrogram(seconds)} viewBox={`0 0 ${WIDE} ${HIGH + STRIP + 26}`}>
      <g class="spectrogram" transform={`scale(${WIDE / across} ${HIGH / high})`}>
        <rect class="ground" width={across} height={high} />
        {cells(loud).map((path, shade) => <path class={`c${shade + 1}`} d={path} />)}
      </g>
      <g class="strip" transform={`translate(0 ${HIGH + 4}) scale(${WIDE / Math.max(shades.length, 1)} ${STRIP})`}>
        <rect class="ground" width={shades.length} height="1" />
        {cells([shades]).map((path, shade) => <path class={props.classes?.[shade] ?? `c${shade + 1}`} d={path} />)}
      </g>
      <text x="0" y={HIGH + STRIP + 20}>{words.seconds("0")}</text>
      <text x={WIDE} y={HIGH + STRIP + 20} text-anchor="end">{words.seconds(seconds)}</text>
    </svg>
  );
}

/** A sound, and below it in two colours what every stretch of it added to an output, or took from it. */
export function SignedSound({ scene, levels }: { scene: Extract<Scene, { kind: "spectrogram" }>; levels: string[] }) {
  const words = useWords();
  const order = ["n1", "n2", "n3", "", "p1", "p2", "p3"];
  const shades = levels.map((level) => order.indexOf(level) + 1);
  return <SoundScene scene={scene} shades={shades} classes={order} label={words.signedSound(scene.seconds.toFixed(2))} />;
}

/** A graph, its nodes in the colour of what they added to an output, with the number. */
export function SignedGraph(props: {
  scene: Extract<Scene, { kind: "graph" }>;
  names: string[];
  values: number[];
  levels: string[];
}) {
  const words = useWords();
  const at = props.scene.places.map(([x, y]) => [MARGIN + x * SIDE, MARGIN + y * SIDE]);
  const side = SIDE + 2 * MARGIN;
  return (
    <svg class="graph" role="img" aria-label={words.signedGraph(at.length)} viewBox={`0 0 ${side} ${side}`}>
      <g class="edges">
        {props.scene.edges.map(([i, j]) => <line x1={at[i][0]} y1={at[i][1]} x2={at[j][0]} y2={at[j][1]} stroke-width="2" />)}
      </g>
      {at.map(([x, y], n) => (
        <g class="node still">
          <circle class={props.levels[n]} cx={x} cy={y} r="17" />
          <text x={x} y={y + 4} text-anchor="middle">{cut(props.names[n], 12)}</text>
          <text class="below" x={x} y={y + 30} text-anchor="middle">{signed(props.values[n])}</text>
        </g>
      ))}
    </svg>
  );
}

/** A graph: the darker a node, the more was taken of it; an edge as thick as its ends look at each other. */
export function GraphScene(props: {
  scene: Extract<Scene, { kind: "graph" }>;
  picture: Picture;
  row: number | null;
  shades: number[];
  onRow: (row: number) => void;
}) {
  const words = useWords();
  const { scene, picture, row, shades } = props;
  const at = scene.places.map(([x, y]) => [MARGIN + x * SIDE, MARGIN + y * SIDE]);
  const square = picture.rows.length === at.length;
  const both = scene.edges.map(([i, j]) => (square ? (picture.values[i][j] + picture.values[j][i]) / 2 : 0));
  const top = Math.max(...both, 0) || 1;
  const taken = row !== null && square ? picture.values[row] : null;
  const most = Math.max(...(taken ?? []), 0) || 1;
  const side = SIDE + 2 * MARGIN;
  return (
    <svg class={`graph ${taken ? "choosing" : ""}`} role="group" aria-label={words.graphOf(at.length)} viewBox={`0 0 ${side} ${side}`}>
      <g class="edges">
        {scene.edges.map(([i, j], n) => (
          <line x1={at[i][0]} y1={at[i][1]} x2={at[j][0]} y2={at[j][1]} stroke-width={1 + ((THICK - 1) * both[n]) / top}>
            <title>{`${picture.columns[i]} ${scene.directed ? "→" : "–"} ${picture.columns[j]}: ${three(both[n])}`}</title>
          </line>
        ))}
      </g>
      <g class="rays">
        {taken &&
          at.map(
            ([x, y], j) =>
              j !== row &&
              taken[j] / most >= FAINT && (
                <line x1={at[row!][0]} y1={at[row!][1]} x2={x} y2={y} stroke-width={1 + ((THICK - 1) * taken[j]) / most} />
              ),
          )}
      </g>
      <g class="nodes">
        {at.map(([x, y], n) => (
          <g
            class={`node w${shades[n]} ${n === row ? "here" : ""}`}
            role="button"
            tabindex={0}
            aria-pressed={n === row}
            aria-label={`${picture.columns[n]} ${n + 1}`}
            onClick={() => square && props.onRow(n)}
            onKeyDown={(event) => {
              if (!square || (event.key !== "Enter" && event.key !== " ")) return;
              event.preventDefault();
              props.onRow(n);
            }}
          >
            <circle class={`c${shades[n]}`} cx={x} cy={y} r="17" />
            <text x={x} y={y + 4} text-anchor="middle">{cut(picture.columns[n], 12)}</text>
          </g>
        ))}
      </g>
    </svg>
  );
}
