import { useEffect, useRef, useState } from "preact/hooks";
import type { Go } from "../address";
import { predict, Refused, written, type Asked } from "../api";
import { Looks } from "../look/Looks";
import { fetchView, type Viewed } from "../look/fetching";
import type { Answer, Model, Problem } from "../types";
import { said, useWords } from "../words";
import { AnswerShown } from "./AnswerShown";
import { asked, isThere, NOTHING, type Given } from "./given";
import { Inputs } from "./Inputs";

/** What was asked and what came of it, as far as it has come. */
interface Exchange {
  asked: Asked;
  mode: string;
  tokens: string[];
  text: string;
  answer: Answer | null;
  milliseconds: number;
}

/** Type, drop or draw; see the answer as it is written; press a piece of it to see what it looked at. */
export function AskPage({ model, first, go }: { model: Model; first?: string; go: Go }) {
  const words = useWords();
  const [given, setGiven] = useState<Given>({ ...NOTHING, text: first ?? "" });
  const [mode, setMode] = useState("auto");
  const [nbest, setNbest] = useState(1);
  const [temperature, setTemperature] = useState("1");
  const [exchange, setExchange] = useState<Exchange | null>(null);
  const [viewed, setViewed] = useState<Viewed | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController | null>(null);
  const writes = model.task === "transduce";

  async function send() {
    running.current?.abort();
    const stop = (running.current = new AbortController());
    setRefusal("");
    setViewed(null);
    setChosen(null);
    setBusy(true);
    try {
      const what = asked(model, given, words);
      go({ model: model.name, input: given.text.length <= 300 ? given.text : undefined });
      const answer = await answered(what, stop.signal);
      if (stop.signal.aborted || !answer) return;
      setViewed(await fetchView(model, what, mode, answer, stop.signal));
    } catch (error) {
      if (!stop.signal.aborted) setRefusal(said(error, words));
    } finally {
      if (running.current === stop) setBusy(false);
    }
  }

  async function answered(what: Asked, signal: AbortSignal): Promise<Answer | null> {
    const began = performance.now();
    const state: Exchange = { asked: what, mode, tokens: [], text: "", answer: null, milliseconds: 0 };
    setExchange(state);
    const options: Record<string, unknown> = { scores: true };
    if (writes) Object.assign(options, { mode, nbest });
    if (mode === "sample") Object.assign(options, { temperature: Number(temperature) || 1, sampling_seed: seed() });
    if (!model.streams || nbest > 1 || !["auto", "greedy", "sample"].includes(mode)) {
      state.answer = (await predict(what, options, signal)).answer;
    } else {
      for await (const { name, data } of written(what, options, signal)) {
        if (name === "error") throw new Refused(Number(data.status), data as unknown as Problem);
        if (name === "answer") state.answer = data as unknown as Answer;
        if (name === "token") {
          state.tokens = [...state.tokens, String(data.piece)];
          state.text += String(data.text);
          setExchange({ ...state });
        }
      }
    }
    state.milliseconds = performance.now() - began;
    setExchange({ ...state });
    return state.answer;
  }

  useEffect(() => {
    if (first && model.input !== "sound") void send();
    return () => running.current?.abort();
  }, []);

  return (
    <>
      <form
        class="ask"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Inputs model={model} given={given} onGiven={setGiven} onSend={send} />
        <div class="row">
          {writes && (
            <label>
              {words.mode}
              <select value={mode} onChange={(event) => setMode(event.currentTarget.value)}>
                {["auto", ...model.modes].map((name) => <option value={name}>{words.modes[name] ?? name}</option>)}
              </select>
            </label>
          )}
          {mode === "sample" && (
            <label>
              {words.temperature}
              <input type="number" min="0.1" max="5" step="0.1" value={temperature} onInput={(event) => setTemperature(event.currentTarget.value)} />
            </label>
          )}
          {writes && (mode === "beam" || mode === "rerank") && (
            <label>
              {words.nbest}
              <input type="number" min="1" max="10" value={nbest} onInput={(event) => setNbest(Math.max(1, Math.min(10, Number(event.currentTarget.value) || 1)))} />
            </label>
          )}
          <button type="submit" class="main" disabled={!isThere(model, given)}>{words.send}</button>
          {busy && <button type="button" onClick={() => { running.current?.abort(); setBusy(false); }}>{words.stop}</button>}
        </div>
      </form>
      {refusal && <p class="refusal" role="alert">{refusal}</p>}
      {exchange && (!refusal || exchange.answer) && (
        <AnswerShown model={model} exchange={exchange} chosen={chosen} onChoose={viewed && viewed.view.maps.length ? setChosen : null} />
      )}
      {viewed && exchange && (
        <Looks key={viewed.number} model={model} viewed={viewed} asked={exchange.asked} chosen={chosen} onChoose={setChosen} />
      )}
    </>
  );
}

function seed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
