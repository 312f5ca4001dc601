import type { Answer, Model } from "../types";
import { useWords } from "../words";

interface Shown {
  tokens: string[];
  text: string;
  answer: Answer | null;
  milliseconds: number;
}

/** An answer while it is written and after: each piece of it can be pressed once it is known where it looked. */
export function AnswerShown(props: {
  model: Model;
  exchange: Shown;
  chosen: number | null;
  onChoose: ((row: number | null) => void) | null;
}) {
  const words = useWords();
  const { exchange, chosen, onChoose } = props;
  const { answer } = exchange;
  const pieces = answer?.tokens ?? (answer?.elements ? answer.labels : undefined) ?? exchange.tokens;
  const below = answer?.elements;
  const scores = Array.isArray(answer?.scores) ? answer.scores : null;
  const press = (row: number) => onChoose?.(row === chosen ? null : row);
  return (
    <section aria-labelledby="answer" class="answer" aria-busy={!answer}>
      <h2 id="answer">{words.answer}</h2>
      <p class="whole" role="status">{answer ? said(answer) || words.nothing : exchange.text || words.writing}</p>
      {pieces.length > 0 && (
        <ol class="pieces" aria-label={words.answer}>
          {pieces.map((piece, row) => (
            <li>
              <button type="button" class="piece" disabled={!onChoose} aria-pressed={row === chosen} onClick={() => press(row)}>
                {below && <small>{below[row]}</small>}
                <span>{piece}</span>
                {scores && <small class="figure">{scores[row].toFixed(2)}</small>}
              </button>
            </li>
          ))}
        </ol>
      )}
      {answer && <Scores answer={answer} />}
      {answer && (
        <p class="quiet">
          {words.answered(exchange.milliseconds.toFixed(exchange.milliseconds < 10 ? 1 : 0))}
          {answer.tokens && answer.score !== undefined && `; ${words.logP} ${answer.score.toFixed(3).replace("-", "−")}`}
          {onChoose && pieces.length > 0 && `. ${words.howTo}`}
        </p>
      )}
      {answer?.alternatives && (
        <>
          <h3>{words.others}</h3>
          <ol class="others">
            {answer.alternatives.map((other) => <li>{said(other)} <small class="figure">{other.score?.toFixed(3)}</small></li>)}
          </ol>
        </>
      )}
    </section>
  );
}

/** The probability of every label, the largest first. */
function Scores({ answer }: { answer: Answer }) {
  const words = useWords();
  if (!answer.scores || Array.isArray(answer.scores)) return null;
  const rows = Object.entries(answer.scores).sort((a, b) => b[1] - a[1]).slice(0, 12);
  return (
    <table class="bars">
      <thead>
        <tr><th scope="col">{words.label}</th><th scope="col">{words.probability}</th><td /></tr>
      </thead>
      <tbody>
        {rows.map(([label, score]) => (
          <tr>
            <th scope="row">{label}</th>
            <td class="number">{score.toFixed(3)}</td>
            <td class="drawn"><svg aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none"><rect class="fill" width={100 * score} height="8" /></svg></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function said(answer: Answer): string {
  if (answer.text !== undefined) return answer.text;
  if (answer.value !== undefined) return String(Number(answer.value.toPrecision(6))).replace("-", "−");
  if (answer.label !== undefined) return answer.label;
  return (answer.elements ?? []).map((element, i) => `${element}/${answer.labels?.[i]}`).join(" ");
}
