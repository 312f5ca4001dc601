import { useEffect, useState } from "preact/hooks";
import { card as fetched, metrics } from "../api";
import { Curves } from "../runs/Curves";
import { figure, span } from "../runs/figures";
import type { Card, Model, TrainingEvent } from "../types";
import { said, useWords } from "../words";

/** What a model is, how well it does, by which measure, what it does not do; and how it was trained. */
export function CardPage({ model }: { model: Model }) {
  const words = useWords();
  const [card, setCard] = useState<Card | null>(null);
  const [events, setEvents] = useState<TrainingEvent[]>([]);
  const [refusal, setRefusal] = useState("");
  useEffect(() => {
    fetched(model.name).then(setCard, (error) => setRefusal(said(error, words)));
    metrics(model.name).then(setEvents, () => undefined);
  }, []);
  if (refusal) return <p class="refusal" role="alert">{refusal}</p>;
  if (!card) return <p class="quiet">{words.loading}</p>;
  const { facts } = card;
  return (
    <article>
      <section aria-labelledby="card">
        <h2 id="card">{words.card}: {model.name}</h2>
        <dl class="facts">
          <Fact name={words.what} value={`${model.task}: ${words[model.task]}`} />
          <Fact name={words.reads} value={words.kindOf[model.input]} />
          <Fact name={words.parameters} value={model.parameters.toLocaleString()} />
          <Fact name={words.version} value={model.version} />
          {facts.seconds && <Fact name={words.training} value={span(facts.seconds)} />}
          {facts.step && <Fact name={words.update} value={facts.step.toLocaleString()} />}
        </dl>
      </section>
      <Results card={card} />
      <section aria-labelledby="limits">
        <h2 id="limits">{words.limits}</h2>
        <ul>
          <li>{words.limitLength(model.max_length.toLocaleString(), words.then[model.over_long] ?? model.over_long)}</li>
          {model.max_seconds !== null && <li>{words.soundAtMost(model.max_seconds)}</li>}
          {model.labels && <li>{words.limitLabels(model.labels.length)} <span class="quiet">{model.labels.slice(0, 40).join(" ")}{model.labels.length > 40 && " …"}</span></li>}
          <li>{words.limitData}</li>
          <li>{words.note}</li>
        </ul>
      </section>
      {events.length > 0 && (
        <section aria-labelledby="curves">
          <h2 id="curves">{words.curves}</h2>
          <Curves events={events} />
        </section>
      )}
      <section aria-labelledby="made">
        <h2 id="made">{words.madeWith}</h2>
        <Pairs rows={[...flat(card.machine), ...flat(card.data)]} name={words.madeWith} />
        <details>
          <summary>{words.settings}</summary>
          <Pairs rows={flat(card.settings)} name={words.settings} />
        </details>
      </section>
    </article>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return <div><dt>{name}</dt><dd>{value}</dd></div>;
}

/** The figures of every part beside those of the baselines. */
function Results({ card }: { card: Card }) {
  const words = useWords();
  const parts = Object.keys(card.metrics);
  const names = [...new Set(Object.values(card.metrics).flatMap(Object.keys))];
  if (!names.length) return null;
  const part = (name: string) => (name === "valid" ? words.valid : name === "test" ? words.testPart : name);
  const rows: [string, Record<string, Record<string, number>>][] = [[card.model.name, card.metrics], ...Object.entries(card.baselines)];
  return (
    <section aria-labelledby="quality">
      <h2 id="quality">{words.quality}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={`${words.quality}: ${words.results}`}>
        <table>
          <thead>
            <tr>
              <td />
              {parts.flatMap((one) => names.map((name) => <th scope="col" class="number">{part(one)}: {name}</th>))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, figures], n) => (
              <tr class={n ? "" : "ours"}>
                <th scope="row">{n ? `${words.baseline}: ${name}` : name}</th>
                {parts.flatMap((one) => names.map((metric) => <td class="number">{figures[one]?.[metric] === undefined ? "" : figure(figures[one][metric])}</td>))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pairs rows={Object.entries(card.signatures)} name={words.signature} />
    </section>
  );
}

function Pairs({ rows, name }: { rows: [string, string][]; name: string }) {
  const words = useWords();
  if (!rows.length) return null;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${name}: ${words.value}`}>
      <table class="pairs">
        <caption class="unseen">{name}</caption>
        <thead class="unseen"><tr><th scope="col">{words.name}</th><th scope="col">{words.value}</th></tr></thead>
        <tbody>
          {rows.map(([key, value]) => <tr><th scope="row"><code>{key}</code></th><td>{value}</td></tr>)}
        </tbody>
      </table>
    </div>
  );
}

/** A tree of values as addresses and texts. */
function flat(tree: Record<string, unknown>, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([name, value]): [string, string][] =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? flat(value as Record<string, unknown>, `${path}${name}.`)
      : [[`${path}${name}`, Array.isArray(value) ? value.join(", ") : String(value)]],
  );
}
