import { cells, cut, shadesOf, type Picture } from "./picture";

const WIDE = 900;
const CELL = 28;
const SMALLEST = 2;
const LEGIBLE = 11;
const NAME = 16;
const LETTER = 6.6;

interface Place {
  i: number;
  j: number;
}

/** A table of weights in shades: rows look, columns are looked at. */
export function Heat(props: {
  picture: Picture;
  label: string;
  row: number | null;
  onRow: (row: number) => void;
  onPoint: (place: Place | null) => void;
}) {
  const { picture, row } = props;
  const T = picture.rows.length;
  const S = picture.columns.length;
  const side = Math.min(CELL, Math.max(SMALLEST, Math.floor(WIDE / Math.max(S, 1))));
  const named = side >= LEGIBLE;
  const rows = picture.rows.map((name) => cut(name, NAME));
  const columns = picture.columns.map((name) => cut(name, NAME));
  const left = named ? Math.round(16 + LETTER * Math.max(0, ...rows.map(wide))) : 8;
  const short = Math.max(0, ...columns.map(wide)) <= 2;
  const top = named ? (short ? 26 : Math.round(16 + LETTER * Math.max(0, ...columns.map(wide)))) : 8;
  const width = left + S * side + 8;
  const height = top + T * side + 8;

  function at(event: MouseEvent): Place | null {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const i = Math.floor(((event.clientY - box.top) * height) / box.height / side - top / side);
    const j = Math.floor(((event.clientX - box.left) * width) / box.width / side - left / side);
    return i >= 0 && j >= 0 && i < T && j < S ? { i, j } : null;
  }

  return (
    <svg
      class="heat"
      role="img"
      aria-label={props.label}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      onMouseMove={(event) => props.onPoint(at(event))}
      onMouseLeave={() => props.onPoint(null)}
      onClick={(event) => {
        const place = at(event);
        if (place) props.onRow(place.i);
      }}
    >
      {named &&
        rows.map((name, i) => (
          <text x={left - 6} y={top + Math.round((i + 0.5) * side) + 4} text-anchor="end" class={i === row ? "here" : ""}>
            {name}
          </text>
        ))}
      {named &&
        columns.map((name, j) => {
          const x = left + Math.round((j + 0.5) * side);
          return short ? (
            <text x={x} y={top - 7} text-anchor="middle">
              {name}
            </text>
          ) : (
            <text transform={`translate(${x + 4} ${top - 5}) rotate(-90)`}>{name}</text>
          );
        })}
      <g class="cells" transform={`translate(${left} ${top}) scale(${side})`}>
        <rect class="ground" width={S} height={T} />
        {cells(shadesOf(picture.values)).map((path, shade) => (
          <path class={`c${shade + 1}`} d={path} />
        ))}
      </g>
      {row !== null && <rect class="chosen" x={left} y={top + row * side} width={S * side} height={side} />}
    </svg>
  );
}

/** Letters that a name takes: those of Chinese, Japanese and Korean are twice as wide. */
function wide(name: string): number {
  return [...name].reduce((sum, letter) => sum + (letter > "\u2e7f" ? 2 : 1), 0);
}

/** The same table without names, small, for an overview. */
export function Thumbnail({ values }: { values: number[][] }) {
  const T = values.length;
  const S = values[0]?.length ?? 0;
  return (
    <svg class="heat small" aria-hidden="true" viewBox={`0 0 ${Math.max(S, 1)} ${Math.max(T, 1)}`} preserveAspectRatio="none">
      <rect class="ground" width={S} height={T} />
      {cells(shadesOf(values)).map((path, shade) => (
        <path class={`c${shade + 1}`} d={path} />
      ))}
    </svg>
  );
}
