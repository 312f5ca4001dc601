import { useEffect, useRef, useState } from "preact/hooks";
import type { Go } from "../address";
import type { Model } from "../types";
import { said, useWords } from "../words";
import { LaneShown } from "./LaneShown";
import { raced, ROUNDS, TOLD, usualLanes, type Lane, type Run } from "./racing";

const SECONDS = 6;
const SPEEDS = [0.25, 0.5, 1, 2, 4];
const MOST = 4;

/** The same input, written in several ways by one clock. */
export function RacePage({ models, first, go }: { models: Model[]; first?: string; go: Go }) {
  const words = useWords();
  const able = models.filter((model) => model.task === "transduce" && model.input === "text" && TOLD.some((mode) => model.modes.includes(mode)));
  const [lanes, setLanes] = useState<Lane[]>(() => usualLanes(able));
  const [input, setInput] = useState(first ?? "");
  const [runs, setRuns] = useState<Run[] | null>(null);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const [speed, setSpeed] = useState(1);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const longest = Math.max(0, ...(runs ?? []).map((run) => run.milliseconds));
  const slower = longest ? (SECONDS * 1000) / longest / speed : 1;
  const clock = useClock(longest, slower);

  if (!able.length) return <p class="quiet">{words.needsWriter}</p>;

  async function start() {
    running.current?.abort();
    const stop = (running.current = new AbortController());
    setBusy(true);
    setRefusal("");
    setRuns(null);
    try {
      go({ input: input.length <= 300 ? input : undefined });
      const found = await raced(lanes, input, stop.signal);
      setRuns(found);
      clock.start();
    } catch (error) {
      if (!stop.signal.aborted) setRefusal(said(error, words));
    } finally {
      setBusy(false);
    }
  }

  const texts = new Set(runs?.map((run) => run.text));
  const ways = able.flatMap((model) => TOLD.filter((mode) => model.modes.includes(mode)).map((mode) => ({ model: model.name, mode })));
  const named = (lane: Lane) => (able.length > 1 ? `${lane.model}, ` : "") + (words.modes[lane.mode] ?? lane.mode);
  return (
    <section aria-labelledby="race">
      <h2 id="race">{words.raceTitle}</h2>
      <p class="note">{words.raceHint}</p>
      <form onSubmit={(event) => { event.preventDefault(); void start(); }}>
        <label class="stack">
          {words.text}
          <input type="text" value={input} onInput={(event) => setInput(event.currentTarget.value)} />
        </label>
        <div class="row">
          {lanes.map((lane, n) => (
            <label>
              {words.lane} {n + 1}
              <select
                value={`${lane.model}\n${lane.mode}`}
                onChange={(event) => {
                  const [model, mode] = event.currentTarget.value.split("\n");
                  setLanes(lanes.map((one, m) => (m === n ? { model, mode } : one)));
                }}
              >
                {ways.map((way) => <option value={`${way.model}\n${way.mode}`}>{named(way)}</option>)}
              </select>
              {lanes.length > 1 && <button type="button" aria-label={`${words.remove} ${words.lane} ${n + 1}`} onClick={() => setLanes(lanes.filter((_, m) => m !== n))}>×</button>}
            </label>
          ))}
          {lanes.length < MOST && <button type="button" onClick={() => setLanes([...lanes, { ...ways[0] }])}>{words.addLane}</button>}
          <button type="submit" class="main" disabled={!input.trim() || busy}>{words.start}</button>
        </div>
      </form>
      {refusal && <p class="refusal" role="alert">{refusal}</p>}
      {busy && <p class="quiet" role="status">{words.loading}</p>}
      {runs && (
        <>
          <div class="row">
            <button type="button" onClick={clock.playing ? clock.pause : clock.play}>{clock.playing ? words.pause : words.play}</button>
            <button type="button" onClick={clock.start}>{words.again}</button>
            <label class="clock">
              <span>{words.clock(clock.now.toFixed(0), longest.toFixed(0))}</span>
              <input type="range" min="0" max={longest} step={longest / 200} value={clock.now} onInput={(event) => clock.set(Number(event.currentTarget.value))} />
            </label>
            <label>
              {words.speed}
              <select value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
                {SPEEDS.map((one) => <option value={one}>{words.slower(Math.max(1, Math.round((SECONDS * 1000) / longest / one)))}</option>)}
              </select>
            </label>
          </div>
          <ol class="lanes">
            {runs.map((run) => <LaneShown run={run} name={named(run.lane)} now={clock.now} longest={longest} />)}
          </ol>
          <p role="status">{clock.now >= longest && (texts.size === 1 ? words.same : words.differ)}</p>
          <p class="quiet">{words.measured(ROUNDS)}</p>
        </>
      )}
    </section>
  );
}

/** The clock of a race in milliseconds of what was measured; at its end at once for those who want no motion. */
function useClock(longest: number, slower: number) {
  const [now, setNow] = useState(0);
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing || !longest) return;
    let last = performance.now();
    let frame = requestAnimationFrame(function tick(time) {
      const passed = (time - last) / slower;
      last = time;
      setNow((before) => Math.min(longest, before + Math.max(0, passed)));
      frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, longest, slower]);
  useEffect(() => {
    if (playing && longest && now >= longest) setPlaying(false);
  }, [playing, now, longest]);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    now,
    playing,
    play: () => {
      if (now >= longest) setNow(0);
      setPlaying(true);
    },
    pause: () => setPlaying(false),
    set: (time: number) => {
      setPlaying(false);
      setNow(time);
    },
    start: () => {
      setNow(still ? Infinity : 0);
      setPlaying(!still);
    },
  };
}
