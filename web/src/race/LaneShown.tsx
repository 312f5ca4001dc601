import type { Decision } from "../types";
import { useWords } from "../words";
import type { Run } from "./racing";

/** One lane at one moment: what it has decided until then. */
export function LaneShown(props: { run: Run; name: string; now: number; longest: number }) {
  const words = useWords();
  const { run, now, longest } = props;
  const seen = run.phases.filter((phase) => phase.ends <= now + 1e-9).flatMap((phase) => phase.decisions);
  const drafts = seen.filter(({ what }) => what === "draft");
  const others = seen.filter(({ what }) => what !== "draft");
  const done = now >= run.milliseconds;
  const counts = new Map<string, number>();
  for (const { what } of seen) counts.set(what, (counts.get(what) ?? 0) + 1);
  return (
    <li class="lane">
      <h3>
        {props.name}{" "}
        <small>
          {run.milliseconds.toFixed(1)} ms, {words.calls(run.calls)}
          {done && `, ${words.finished}`}
        </small>
      </h3>
      <svg class="way" aria-hidden="true" viewBox="0 0 100 4" preserveAspectRatio="none">
        <rect class="ground" width={longest ? (100 * run.milliseconds) / longest : 100} height="4" />
        <rect class="fill" width={longest ? (100 * Math.min(now, run.milliseconds)) / longest : 0} height="4" />
      </svg>
      {drafts.length > 0 && <Chips decisions={drafts} />}
      {others.length > 0 && <Chips decisions={others} />}
      <p class="quiet">
        {[...counts].map(([what, count]) => `${words.kinds[what] ?? what}: ${count}`).join(", ")}
      </p>
      {done && <p class="whole">{run.text}</p>}
    </li>
  );
}

const MARKS: Record<string, string> = { accepted: "✓", corrected: "✎", single: "•", draft: "?" };

function Chips({ decisions }: { decisions: Decision[] }) {
  const words = useWords();
  return (
    <ol class="chips">
      {decisions.map((one) => (
        <li class={`chip ${one.what}`} title={words.kinds[one.what] ?? one.what}>
          {one.what === "blank" ? <span aria-hidden="true">·</span> : one.taken}
          {one.what in MARKS && <span aria-hidden="true"> {MARKS[one.what]}</span>}
          <span class="unseen"> {words.kinds[one.what] ?? one.what}</span>
        </li>
      ))}
    </ol>
  );
}
