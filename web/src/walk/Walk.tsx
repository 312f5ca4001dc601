import { useEffect, useRef, useState } from "preact/hooks";
import { predict, type Asked } from "../api";
import type { Computation, Model, Part, View } from "../types";
import { said, useWords } from "../words";
import { QueryKeyValue, Scores, Sums, Weights } from "./Steps";

/** One head, number by number, in the order in which it computes: q, k and v; scores; normalizer; weighted sum. */
export function Walk(props: {
  model: Model;
  asked: Asked;
  view: View;
  mode: string;
  head: { part: Part; layer: number; head: number };
  row: number | null;
  onClose: () => void;
}) {
  const words = useWords();
  const { head, view } = props;
  const [found, setFound] = useState<Computation | null>(null);
  const [refusal, setRefusal] = useState("");
  const [step, setStep] = useState(0);
  const [i, setI] = useState(props.row ?? 0);
  const [j, setJ] = useState(0);
  const title = useRef<HTMLHeadingElement>(null);
  const steps = [QueryKeyValue, Scores, Weights, Sums];

  useEffect(() => {
    const stop = new AbortController();
    title.current?.focus();
    const options: Record<string, unknown> = { attention: true, layers: [head.layer], heads: [head.head], computation: head.part };
    if (props.model.task === "transduce") Object.assign(options, props.mode === "sample" ? { target: view.answer.text } : { mode: props.mode });
    predict(props.asked, options, stop.signal)
      .then(({ answer }) => {
        const steps = answer.computation!;
        setFound(steps);
        const row = steps.weights[Math.min(i, steps.asking.length - 1)];
        setJ(row.indexOf(Math.max(...row)));
      })
      .catch((error) => stop.signal.aborted || setRefusal(said(error, words)));
    return () => stop.abort();
  }, []);
  useEffect(() => {
    if (props.row !== null) setI(props.row);
  }, [props.row]);

  const Step = steps[step];
  const asks = found ? Math.min(i, found.asking.length - 1) : 0;
  return (
    <section class="walk" aria-labelledby="walk">
      <h2 id="walk" tabIndex={-1} ref={title}>{words.walkTitle(head.layer, head.head)}</h2>
      <p class="quiet">{words[head.part]}: {words.told[head.part]}</p>
      {refusal && <p class="refusal" role="alert">{refusal}</p>}
      {!found && !refusal && <p class="quiet">{words.loading}</p>}
      {found && (
        <>
          <div class="row">
            <label>
              {words.asks}
              <select value={asks} onChange={(event) => setI(Number(event.currentTarget.value))}>
                {found.asking.map((name, n) => <option value={n}>{n} {name}</option>)}
              </select>
            </label>
            <label>
              {words.isAsked}
              <select value={j} onChange={(event) => setJ(Number(event.currentTarget.value))}>
                {found.asked.map((name, n) => <option value={n}>{n} {name}</option>)}
              </select>
            </label>
          </div>
          <ol class="steps">
            {words.stepNames.map((name, n) => (
              <li>
                <button type="button" aria-pressed={n === step} aria-current={n === step ? "step" : undefined} onClick={() => setStep(n)}>
                  {n + 1}. {name}
                </button>
              </li>
            ))}
          </ol>
          <div aria-live="polite">
            <h3>{words.stepOf(step + 1, steps.length)}: {words.stepNames[step]}</h3>
            <Step of={found} i={asks} j={Math.min(j, found.asked.length - 1)} onJ={setJ} />
          </div>
          <p class="row">
            <button type="button" disabled={step === 0} onClick={() => setStep(step - 1)}>{words.before}</button>
            <button type="button" disabled={step === steps.length - 1} onClick={() => setStep(step + 1)}>{words.next}</button>
          </p>
        </>
      )}
      <p><button type="button" onClick={props.onClose}>{words.close}</button></p>
    </section>
  );
}
