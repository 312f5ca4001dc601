import { useEffect, useState } from "preact/hooks";
import type { Go } from "../address";
import { live, Refused, runs as listed } from "../api";
import type { Running, TrainingEvent } from "../types";
import { said, useWords } from "../words";
import { Curves } from "./Curves";
import { figure, isFigure, span } from "./figures";

const EVERY = 3000;

/** Trainings while they run and after, from what they write. */
export function RunsPage({ run, go }: { run?: string; go: Go }) {
  const words = useWords();
  const [runs, setRuns] = useState<Running[] | null>(null);
  const [refusal, setRefusal] = useState("");

  useEffect(() => {
    let timer = 0;
    async function look() {
      try {
        setRuns(await listed());
        setRefusal("");
      } catch (error) {
        setRefusal(said(error, words));
        if (error instanceof Refused && error.status === 404) return;
      }
      timer = window.setTimeout(look, EVERY);
    }
    void look();
    return () => clearTimeout(timer);
  }, [words]);

  return (
    <section aria-labelledby="trainings">
      <h2 id="trainings">{words.trainings}</h2>
      <p class="note">{words.trainingsHint}</p>
      {refusal && <p class="quiet">{refusal}</p>}
      {runs && !runs.length && <p class="quiet">{words.noRuns}</p>}
      {runs && runs.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={words.trainingsHint}>
          <table>
            <thead>
              <tr>{[words.run, words.state, words.update, words.valid, words.changed].map((name) => <th scope="col">{name}</th>)}</tr>
            </thead>
            <tbody>
              {runs.map((one) => (
                <tr>
                  <th scope="row">
                    <button type="button" class="plain" aria-pressed={one.name === run} onClick={() => go({ run: one.name === run ? undefined : one.name })}>{one.name}</button>
                  </th>
                  <td><span class={`state ${one.state}`}>{words.states[one.state]}</span></td>
                  <td>
                    {one.steps === null ? one.step : words.progress(one.step.toLocaleString(), one.steps.toLocaleString())}
                    {one.steps !== null && <progress max={one.steps} value={one.step} aria-label={words.progress(String(one.step), String(one.steps))} />}
                  </td>
                  <td>{latest(one)}</td>
                  <td>{words.ago(span(one.changed))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {run && <Live key={run} run={run} />}
    </section>
  );
}

/** The curves of one training, which go on while it runs. */
function Live({ run }: { run: string }) {
  const words = useWords();
  const [events, setEvents] = useState<TrainingEvent[]>([]);
  const [told, setTold] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    const wait = (time: number) => new Promise((done) => setTimeout(done, time));
    async function follow() {
      while (!stop.signal.aborted) {
        let fresh = true;
        try {
          for await (const { name, data } of live(run, "", stop.signal)) {
            if (name === "gone") return setTold(words.gone);
            if (name === "restarted") setTold(words.restarted);
            const void_ = fresh || name === "restarted";
            fresh = false;
            const event = name === "restarted" ? [] : [data as TrainingEvent];
            setEvents((before) => [...(void_ ? [] : before), ...event]);
          }
        } catch (error) {
          if (stop.signal.aborted) return;
          if (error instanceof Refused && error.status !== 0) return setTold(said(error, words));
        }
        await wait(EVERY);
      }
    }
    void follow();
    return () => stop.abort();
  }, [run]);
  return (
    <>
      <h3>{run}</h3>
      <p role="status" class="quiet">{told}</p>
      <Curves events={events} />
    </>
  );
}

function latest(run: Running): string {
  const valid = run.latest.valid ?? {};
  const [name, value] = Object.entries(valid).find(([name, value]) => isFigure(name, value)) ?? [];
  return name ? `${name} ${figure(value as number)}` : "";
}
