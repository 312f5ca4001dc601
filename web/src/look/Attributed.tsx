import { useEffect, useRef, useState } from "preact/hooks";
import type { Attribution, View } from "../types";
import { Bar } from "../walk/Steps";
import { said, useWords } from "../words";
import type { Viewed } from "./fetching";
import { cut, mapOf } from "./picture";
import { SignedGraph, SignedSound } from "./Scenes";
import { levelOf, short, signed } from "./signs";

const ROWS = 40;
const BEST = 3;
const ALL = -1;

/** What was fetched, by the number of the output; that of the whole answer stands under ALL. */
export type Found = Record<number, Attribution[]>;

/** What the chosen output follows: how much each element added to it, beside where the model looked. */
export function Attributed(props: {
  view: View;
  viewed: Viewed;
  chosen: number | null;
  onChoose: (output: number) => void;
  found: Found;
  onFound: (output: number, found: Attribution[]) => void;
  onClose: () => void;
}) {
  const words = useWords();
  const { view, viewed, chosen, found } = props;
  const outputs = outputsOf(view);
  const [last, setLast] = useState(0);
  const [refusal, setRefusal] = useState("");
  const panel = useRef<HTMLDivElement>(null);
  const output = !outputs.length ? ALL : chosen !== null && chosen < outputs.length ? chosen : Math.min(last, outputs.length - 1);

  useEffect(() => panel.current?.focus(), []);
  useEffect(() => {
    setLast(Math.max(output, 0));
    setRefusal("");
    if (found[output]) return;
    const stop = new AbortController();
    viewed
      .attributed(output === ALL ? null : output, stop.signal)
      .then((each) => props.onFound(output, each))
      .catch((error) => stop.signal.aborted || setRefusal(said(error, words)));
    return () => stop.abort();
  }, [output]);

  return (
    <div class="panel" role="group" aria-label={words.follows} tabIndex={-1} ref={panel}>
      <div class="row choosers">
        {outputs.length > 0 && (
          <label>
            {words.output}
            <select
              value={output}
              onChange={(event) => {
                const next = Number(event.currentTarget.value);
                setLast(next);
                props.onChoose(next);
              }}
            >
              {outputs.map((name, n) => <option value={n}>{n + 1}: {cut(name, 40)}</option>)}
            </select>
          </label>
        )}
        <button type="button" onClick={props.onClose}>{words.close}</button>
      </div>
      {refusal ? (
        <p class="refusal" role="alert">{refusal}</p>
      ) : !found[output] ? (
        <p class="quiet" role="status">{words.loading}</p>
      ) : (
        found[output].map((each) => <Shown key={each.of} of={each} name={output === ALL ? named(each, view, words.theNumber) : outputs[output]} view={view} />)
      )}
    </div>
  );
}

/** One output: the elements in the colour of what they added, the same in words, how sure that is, and every number. */
function Shown({ of, name, view }: { of: Attribution; name: string; view: View }) {
  const words = useWords();
  const [open, setOpen] = useState(of.values.length <= ROWS);
  const most = Math.max(...of.values.map(Math.abs)) || 1;
  const levels = of.values.map((value) => levelOf(value, most));
  const order = of.values.map((_, j) => j).sort((a, b) => Math.abs(of.values[b]) - Math.abs(of.values[a]) || a - b);
  const best = order.slice(0, BEST).filter((j) => of.values[j]).map((j) => `${of.elements[j]} ${signed(of.values[j])}`).join(", ");
  const gap = Math.abs(of.values.reduce((sum, value) => sum + value, 0) - (of.output - of.baseline));
  const title = `${words.follows}: ${name}`;
  const what = view.task === "regress" ? words.theNumber : words.logP;
  return (
    <>
      <h3 class="title">{title}</h3>
      {view.scene?.kind === "spectrogram" ? (
        <SignedSound scene={view.scene} levels={levels} />
      ) : view.scene?.kind === "graph" ? (
        <SignedGraph scene={view.scene} names={of.elements} values={of.values} levels={levels} />
      ) : (
        <p class="words">
          {of.elements.map((element, j) => <><span class={levels[j]} title={signed(of.values[j])}>{cut(element, 40)}</span> </>)}
        </p>
      )}
      <p class="told" role="status">{words.followsMost(name, best || words.nowhere)}</p>
      <p class="quiet">
        {words.signs} {words.methods[of.method] ?? of.method}: {words.sums(what, short(of.output), short(of.baseline), short(Number(gap.toPrecision(1))))}
      </p>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{words.asTable}</summary>
        {open && (
          <div class="scroll" tabIndex={0} role="region" aria-label={`${words.asTable}: ${title}`}>
            <table class="numbers">
              <caption class="unseen">{title}</caption>
              <thead>
                <tr><th scope="col">{words.element}</th><th scope="col" class="number">{words.added}</th><td /></tr>
              </thead>
              <tbody>
                {of.elements.map((element, j) => (
                  <tr>
                    <th scope="row">{cut(element, 40)}</th>
                    <td class="number">{signed(of.values[j])}</td>
                    <td class="drawn"><Bar share={of.values[j] / most} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </details>
    </>
  );
}

/** The pieces of an answer of which each is explained by itself; none where the whole is one. */
function outputsOf(view: View): string[] {
  if (view.task === "tag") return view.outputs.map((label, n) => `${view.answer.elements?.[n]} ${label}`);
  if (view.task !== "transduce") return [];
  return (mapOf(view, "cross") ?? mapOf(view, "decoder"))?.asking ?? view.outputs;
}

/** The name of an output that is the whole answer, or one of its labels. */
function named(of: Attribution, view: View, number: string): string {
  return view.task === "regress" ? number : of.of.replace(/^label /, "");
}
