import { scaleLinear } from "d3-scale";
import type { TrainingEvent } from "../types";
import { useWords } from "../words";
import { figure, isFigure } from "./figures";

const WIDE = 420;
const HIGH = 190;
const LEFT = 52;
const BOTTOM = 26;
const ROWS = 60;

type Point = [step: number, value: number];

/** One curve of a chart; `main` is drawn over the others. */
interface Curve {
  name: string;
  points: Point[];
  main: boolean;
}

/** What a training has measured: its loss, and every figure of the valid part, as curves and as a table. */
export function Curves({ events }: { events: TrainingEvent[] }) {
  const words = useWords();
  const steps = events.filter(({ event }) => event === "step");
  const valids = events.filter(({ event }) => event === "valid");
  if (!steps.length && !valids.length) return <p class="quiet">{words.noEvents}</p>;
  const best = valids.filter((event) => event.best === true).pop()?.step;
  const names = [...new Set(valids.flatMap((event) => Object.entries(event).filter(([name, value]) => isFigure(name, value)).map(([name]) => name)))];
  const points = (of: TrainingEvent[], name: string) =>
    of.flatMap((event): Point[] => (typeof event[name] === "number" ? [[event.step, event[name] as number]] : []));
  const loss = [
    { name: words.training, points: points(steps, "loss"), main: false },
    { name: words.valid, points: points(valids, "loss"), main: true },
  ];
  return (
    <>
      <div class="charts">
        {names.filter((name) => name !== "loss").map((name) => (
          <Chart title={name} best={best} curves={[{ name: words.valid, points: points(valids, name), main: true }]} />
        ))}
        <Chart title="loss" best={best} curves={loss} />
      </div>
      {valids.length > 0 && (
        <details>
          <summary>{words.asTable}</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label={words.asTable}>
            <table>
              <thead>
                <tr>{[words.update, ...names].map((name) => <th scope="col" class="number">{name}</th>)}</tr>
              </thead>
              <tbody>
                {valids.slice(-ROWS).map((event) => (
                  <tr>
                    <th scope="row" class="number">{event.step.toLocaleString()}{event.step === best && ` (${words.best})`}</th>
                    {names.map((name) => <td class="number">{typeof event[name] === "number" ? figure(event[name] as number) : ""}</td>)}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}

function Chart({ title, curves, best }: { title: string; curves: Curve[]; best?: number }) {
  const words = useWords();
  const drawn = curves.filter(({ points }) => points.length);
  const all = drawn.flatMap(({ points }) => points);
  if (!all.length) return null;
  const x = scaleLinear([0, Math.max(1, ...all.map(([step]) => step))], [LEFT, WIDE - 8]);
  const values = all.map(([, value]) => value);
  const y = scaleLinear([Math.min(...values), Math.max(...values)], [HIGH - BOTTOM, 10]).nice(4);
  const at = drawn.find(({ main }) => main)?.points.find(([step]) => step === best);
  const told = at ? words.bestAt(figure(at[1]), at[0].toLocaleString()) : "";
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong> {told}
        {drawn.length > 1 && drawn.map(({ name, main }) => <span class={`key ${main ? "strong" : ""}`}>{name}</span>)}
      </figcaption>
      <svg role="img" aria-label={`${title}. ${told}`} viewBox={`0 0 ${WIDE} ${HIGH}`}>
        {y.ticks(4).map((tick) => (
          <g>
            <path class="grid" d={`M${LEFT} ${y(tick)}H${WIDE - 8}`} />
            <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">{figure(tick)}</text>
          </g>
        ))}
        {x.ticks(4).map((tick) => <text x={x(tick)} y={HIGH - 8} text-anchor="middle">{tick.toLocaleString("en")}</text>)}
        {drawn.map(({ points, main }) => (
          <path class={`line ${main ? "strong" : ""}`} d={`M${points.map(([step, value]) => `${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`} />
        ))}
        {drawn.filter(({ points }) => points.length === 1).map(({ points: [[step, value]] }) => <circle class="dot" cx={x(step)} cy={y(value)} r="3" />)}
        {at && <circle class="best" cx={x(at[0])} cy={y(at[1])} r="4" />}
      </svg>
    </figure>
  );
}
