import { useRef, useState } from "preact/hooks";
import type { Part, View } from "../types";
import { useWords } from "../words";
import { Heat } from "./Heat";
import { bestOf, cut, mapOf, pictureOf, rowOf, shadesOf, three, type Head, type Picture } from "./picture";
import { savedPicture } from "./saving";
import { GraphScene, SoundScene } from "./Scenes";

const NUMBERS = 40;

/** Which head is seen. */
export interface Seen {
  part: Part;
  layer: number;
  head: Head;
}

/** One heat map with its choosers, who looks, and what was looked at. */
export function Panel(props: {
  number: number;
  view: View;
  layers: number[] | null;
  seen: Seen;
  row: number | null;
  onRow: (row: number | null) => void;
  onSeen: (seen: Seen) => void;
  onClose: (() => void) | null;
  onWalk: (() => void) | null;
}) {
  const words = useWords();
  const { view, seen, onSeen } = props;
  const [pointed, setPointed] = useState("");
  const drawn = useRef<HTMLDivElement>(null);
  const map = mapOf(view, seen.part)!;
  const picture = pictureOf(map, seen.layer, seen.head);
  const row = props.row !== null && props.row < picture.rows.length ? props.row : null;
  const press = (next: number) => props.onRow(next === row ? null : next);
  const heads = seen.head === "mean" ? words.meanOf(map.heads.length) : `${words.head} ${seen.head}`;
  const title = `${words[seen.part]}, ${words.layer} ${seen.layer}, ${heads}: ${words.told[seen.part]}`;
  const taken = rowOf(picture, row);
  const [shades] = shadesOf([taken]);
  const best = bestOf(taken).map((j) => `${picture.columns[j]} ${three(taken[j])}`).join(", ");
  const labels = view.task === "tag" && seen.part === "encoder" ? view.outputs : [];
  const scene = seen.part === "decoder" ? null : view.scene;

  return (
    <div class="panel" role="group" aria-label={title}>
      <div class="row choosers">
        <label>
          {words.part}
          <select value={seen.part} onChange={(event) => onSeen(moved(view, seen, event.currentTarget.value as Part))}>
            {view.maps.map(({ part }) => <option value={part}>{words[part]}</option>)}
          </select>
        </label>
        <label>
          {words.layer}
          <select value={seen.layer} onChange={(event) => onSeen({ ...seen, layer: Number(event.currentTarget.value) })}>
            {(props.layers ?? map.layers).map((layer) => <option value={layer}>{layer}</option>)}
          </select>
        </label>
        <label>
          {words.head}
          <select
            value={seen.head}
            onChange={(event) => onSeen({ ...seen, head: event.currentTarget.value === "mean" ? "mean" : Number(event.currentTarget.value) })}
          >
            <option value="mean">{words.mean}</option>
            {map.heads.map((head) => <option value={head}>{head}</option>)}
          </select>
        </label>
        {props.onClose && <button type="button" onClick={props.onClose}>{words.close}</button>}
      </div>
      <h3 class="title">{title}</h3>
      <Askers rows={picture.rows} labels={labels} row={row} onRow={props.onRow} />
      {scene?.kind === "spectrogram" ? (
        <SoundScene scene={scene} shades={shades} />
      ) : scene?.kind === "graph" ? (
        <GraphScene scene={scene} picture={picture} row={row} shades={shades} onRow={press} />
      ) : (
        <p class="words">
          {picture.columns.map((name, j) => <><span class={`s${shades[j]}`}>{cut(name, 40)}</span> </>)}
        </p>
      )}
      <p class="told" role="status">
        {words.lookedMost(row === null ? words.all : picture.rows[row], best || words.nowhere)}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.heatOf(title)} ref={drawn}>
        <Heat
          picture={picture}
          label={words.heatOf(title)}
          row={row}
          onRow={press}
          onPoint={(place) =>
            setPointed(place ? words.took(picture.rows[place.i], three(picture.values[place.i][place.j]), picture.columns[place.j]) : "")
          }
        />
      </div>
      <p class="pointed">{pointed}</p>
      <Numbers picture={picture} title={title} />
      <p class="row">
        {props.onWalk ? <button type="button" onClick={props.onWalk}>{words.walk}</button> : <button type="button" disabled>{words.walk} ({words.walkOne})</button>}
        <button type="button" onClick={() => savedPicture("attention.svg", drawn.current!.querySelector("svg")!)}>{words.downloadPicture}</button>
      </p>
    </div>
  );
}

/** A button for everyone who looks, one for all; arrows go from one to the next. */
function Askers(props: { rows: string[]; labels: string[]; row: number | null; onRow: (row: number | null) => void }) {
  const words = useWords();
  const group = useRef<HTMLDivElement>(null);
  function onKey(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !group.current) return;
    const buttons = [...group.current.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.click();
  }
  return (
    <div class="askers" role="group" aria-label={words.who} ref={group} onKeyDown={onKey}>
      <button type="button" aria-pressed={props.row === null} onClick={() => props.onRow(null)}>{words.all}</button>
      {props.rows.map((name, row) => (
        <button type="button" aria-pressed={row === props.row} onClick={() => props.onRow(row)}>
          {cut(name, 40)}
          {row < props.labels.length && <small> {props.labels[row]}</small>}
        </button>
      ))}
    </div>
  );
}

/** The weights as a table, which a screen reader reads. */
function Numbers({ picture, title }: { picture: Picture; title: string }) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const columns = picture.columns.slice(0, NUMBERS);
  const rows = picture.rows.slice(0, NUMBERS);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{words.asTable}</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${words.asTable}: ${title}`}>
          {(rows.length < picture.rows.length || columns.length < picture.columns.length) && (
            <p class="quiet">{words.tableCut(rows.length, columns.length)}</p>
          )}
          <table class="numbers">
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <td />
                {columns.map((name) => <th scope="col">{name}</th>)}
              </tr>
            </thead>
            <tbody>
              {rows.map((name, i) => (
                <tr>
                  <th scope="row">{name}</th>
                  {columns.map((_, j) => <td class="number">{three(picture.values[i][j])}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** The same layer of another part where it has one. */
function moved(view: View, seen: Seen, part: Part): Seen {
  const { layers } = mapOf(view, part)!;
  return { part, layer: layers.includes(seen.layer) ? seen.layer : layers[layers.length - 1], head: "mean" };
}
