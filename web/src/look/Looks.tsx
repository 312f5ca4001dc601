import { useRef, useState } from "preact/hooks";
import type { Asked } from "../api";
import type { Model, Part, View } from "../types";
import { Walk } from "../walk/Walk";
import { said, useWords } from "../words";
import { Attributed, type Found } from "./Attributed";
import { Decisions } from "./Decisions";
import type { Viewed } from "./fetching";
import { Thumbnail } from "./Heat";
import { Panel, type Seen } from "./Panel";
import { mapOf } from "./picture";
import { saved } from "./saving";

const MOST = 4;

/** Where the model looked: any part, layer and head, several side by side, every head at once, one head by numbers. */
export function Looks(props: {
  model: Model;
  viewed: Viewed;
  asked: Asked;
  chosen: number | null;
  onChoose: (row: number | null) => void;
}) {
  const words = useWords();
  const { viewed, chosen, onChoose } = props;
  const [view, setView] = useState<View>(viewed.view);
  const [seen, setSeen] = useState<Seen[]>(() => [first(view)]);
  const [refusal, setRefusal] = useState("");
  const [walked, setWalked] = useState<{ part: Part; layer: number; head: number } | null>(null);

  const [follows, setFollows] = useState(false);
  const [found, setFound] = useState<Found>({});
  const button = useRef<HTMLButtonElement>(null);
  const isOutput = view.task === "tag" || (view.task === "transduce" && seen[0].part !== "encoder");
  const attributed = follows && (
    <Attributed
      view={view}
      viewed={viewed}
      chosen={isOutput ? chosen : null}
      onChoose={(output) => isOutput && onChoose(output)}
      found={found}
      onFound={(output, each) => setFound((before) => ({ ...before, [output]: each }))}
      onClose={() => {
        setFollows(false);
        button.current?.focus();
      }}
    />
  );
  const able = props.model.attributions;
  const toggle = (
    <button type="button" ref={button} disabled={able !== "given"} aria-expanded={follows} onClick={() => setFollows(!follows)}>
      {words.follows}
      {able !== "given" && ` (${words.lacks[able]})`}
    </button>
  );

  if (!view.maps.length)
    return (
      <section aria-labelledby="looked">
        <h2 id="looked">{words.looked}</h2>
        {Object.values(view.missing).map((reason) => <p class="quiet">{reason}</p>)}
        <p class="row">{toggle}</p>
        {attributed}
        <Decisions decisions={view.trace} />
      </section>
    );

  async function show(number: number, one: Seen) {
    let now: View;
    if (viewed.layers && !mapOf(view, one.part)?.layers.includes(one.layer)) {
      try {
        now = await viewed.more(one.layer);
      } catch (error) {
        return setRefusal(said(error, words));
      }
      setRefusal("");
      setView(now);
      setSeen(seen.map(() => ({ ...one, layer: one.layer })));
      return;
    }
    setSeen(seen.map((each, n) => (n === number ? one : each)));
  }

  return (
    <section aria-labelledby="looked">
      <h2 id="looked">{words.looked}</h2>
      <p class="note">{words.note}</p>
      {viewed.layers && <p class="quiet">{words.oneLayer}</p>}
      {refusal && <p class="refusal" role="alert">{refusal}</p>}
      <div class={`panels ${seen.length > 1 || follows ? "several" : ""}`}>
        {seen.map((one, number) => (
          <Panel
            key={number}
            number={number}
            view={view}
            layers={viewed.layers}
            seen={one}
            row={chosen}
            onRow={onChoose}
            onSeen={(next) => {
              if (next.part !== one.part) onChoose(null);
              void show(number, next);
            }}
            onClose={seen.length > 1 ? () => setSeen(seen.filter((_, n) => n !== number)) : null}
            onWalk={one.head === "mean" ? null : () => setWalked({ part: one.part, layer: one.layer, head: one.head as number })}
          />
        ))}
        {attributed}
      </div>
      <p class="row">
        {toggle}
        {seen.length < MOST && <button type="button" onClick={() => setSeen([...seen, other(view, seen)])}>{words.beside}</button>}
        <button type="button" onClick={() => saved("attention.json", "application/json", JSON.stringify({ ...view, attributions: Object.values(found).flat() }))}>{words.download}</button>
      </p>
      {walked && (
        <Walk
          key={`${walked.part} ${walked.layer} ${walked.head}`}
          model={props.model}
          asked={props.asked}
          view={view}
          mode={viewed.mode}
          head={walked}
          row={chosen}
          onClose={() => setWalked(null)}
        />
      )}
      <Overview view={view} seen={seen[0]} onSeen={(one) => void show(0, one)} />
      {Object.values(view.missing).map((reason) => <p class="quiet">{reason}</p>)}
      <Decisions decisions={view.trace} />
    </section>
  );
}

/** Every head of every layer of a part, small. */
function Overview({ view, seen, onSeen }: { view: View; seen: Seen; onSeen: (seen: Seen) => void }) {
  const words = useWords();
  const map = mapOf(view, seen.part)!;
  return (
    <details class="overview">
      <summary>{words.everyHead}</summary>
      <p class="quiet">{words.everyHeadHint}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.everyHead}>
        <table>
          <thead>
            <tr>
              <td />
              {map.heads.map((head) => <th scope="col">{words.head} {head}</th>)}
            </tr>
          </thead>
          <tbody>
            {map.layers.map((layer, l) => (
              <tr>
                <th scope="row">{words.layer} {layer}</th>
                {map.heads.map((head, h) => (
                  <td>
                    <button
                      type="button"
                      class="thumb"
                      aria-label={words.headOf(layer, head)}
                      aria-pressed={seen.layer === layer && seen.head === head}
                      onClick={() => onSeen({ ...seen, layer, head })}
                    >
                      <Thumbnail values={map.weights[l][h]} />
                    </button>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function first(view: View): Seen {
  const map = mapOf(view, view.part);
  return { part: view.part, layer: map ? map.layers[map.layers.length - 1] : 0, head: "mean" };
}

/** What is shown beside: the next head of the same layer. */
function other(view: View, seen: Seen[]): Seen {
  const last = seen[seen.length - 1];
  const { heads } = mapOf(view, last.part)!;
  const next = last.head === "mean" ? heads[0] : heads[(heads.indexOf(last.head) + 1) % heads.length];
  return { ...last, head: next };
}
