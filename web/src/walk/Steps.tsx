import { useState } from "preact/hooks";
import type { Computation } from "../types";
import { useWords } from "../words";
import { number, Sign, Vector } from "./Vector";

/** What every step is given: the numbers of the head, who asks, who is asked. */
interface Step {
  of: Computation;
  i: number;
  j: number;
  onJ: (j: number) => void;
}

const WRONG = 2e-3;

/** q of who asks; k and v of who is asked. */
export function QueryKeyValue({ of, i, j }: Step) {
  const words = useWords();
  const compared = of.compared;
  return (
    <>
      <p>{words.qkv(of.x[0].length, of.q[0].length)}</p>
      <Vector name={<Sign base="q" up={i} />} formula={<>W<sup>q</sup> <Sign base="a" up={i} /> + b<sup>q</sup></>} of={of.asking[i]} values={of.q[i]} />
      <Vector name={<Sign base="k" up={j} />} formula={<>W<sup>k</sup> <Sign base="a" up={j} /> + b<sup>k</sup></>} of={of.asked[j]} values={of.k[j]} />
      <Vector name={<Sign base="v" up={j} />} formula={<>W<sup>v</sup> <Sign base="a" up={j} /> + b<sup>v</sup></>} of={of.asked[j]} values={of.v[j]} />
      {compared && (
        <>
          <p>{words.meeting(of.score)}</p>
          <Vector name={<Sign base="q̃" up={i} />} of={of.asking[i]} values={compared.q[i]} />
          <Vector name={<Sign base="k̃" up={j} />} of={of.asked[j]} values={compared.k[j]} />
        </>
      )}
      <details>
        <summary>{words.numbersOf("a")}</summary>
        <Vector name={<Sign base="a" up={i} />} of={of.asking[i]} values={of.x[i]} />
        <Vector name={<Sign base="a" up={j} />} of={of.asked[j]} values={of.memory[j]} />
      </details>
    </>
  );
}

/** α of who asks with everyone, and one of them number by number. */
export function Scores({ of, i, j, onJ }: Step) {
  const words = useWords();
  const [q, k] = of.compared ? [of.compared.q[i], of.compared.k[j]] : [of.q[i], of.k[j]];
  const tilde = of.compared ? "̃" : "";
  const hidden = of.allowed && !of.allowed[i][j];
  const terms = q.map((one, d) => (of.weight ? of.weight[d] * Math.tanh(one + k[d]) : one * k[d]));
  const sum = terms.reduce((total, term) => total + term, 0);
  const open = of.scale !== null || of.weight !== null;
  const total = of.scores[i][j] + (of.bias ? of.bias[i][j] : 0);
  return (
    <>
      <p>{words.scoreTold}</p>
      {open && (
        <p class="formula">
          <Sign base="α" down={`${i},${j}`} /> ={" "}
          {of.weight ? (
            <>Σ w tanh(q{tilde} + k{tilde}) = {number(sum)}</>
          ) : (
            <>
              <Sign base={`q${tilde}`} up={i} /> · <Sign base={`k${tilde}`} up={j} /> × {number(of.scale!)} = {number(sum)} × {number(of.scale!)} = {number(sum * of.scale!)}
            </>
          )}
          {of.bias && <>; + {words.bias} {number(of.bias[i][j])} = {number(total)}</>}
          {hidden && <>; {words.hidden}</>}
        </p>
      )}
      <Everyone of={of} i={i} j={j} onJ={onJ} columns={[
        { name: words.score, values: of.scores[i], bars: true },
        ...(of.bias ? [{ name: words.bias, values: of.bias[i] }] : []),
        ...(of.bias ? [{ name: words.sum, values: of.scores[i].map((one, n) => one + of.bias![i][n]) }] : []),
      ]} />
      {open && (
        <details>
          <summary>{words.products}: {of.asking[i]}, {of.asked[j]}</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label={words.products}>
            <table class="numbers">
              <thead>
                <tr>
                  <th scope="col">{words.number}</th>
                  <th scope="col">q{tilde}</th>
                  <th scope="col">k{tilde}</th>
                  <th scope="col">{of.weight ? "w tanh(q + k)" : "q × k"}</th>
                </tr>
              </thead>
              <tbody>
                {terms.map((term, d) => (
                  <tr>
                    <th scope="row">{d + 1}</th>
                    <td class="number">{number(q[d])}</td>
                    <td class="number">{number(k[d])}</td>
                    <td class="number">{number(term)}</td>
                  </tr>
                ))}
                <tr><th scope="row">{words.sum}</th><td /><td /><td class="number"><strong>{number(sum)}</strong></td></tr>
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}

/** α′ of who asks: what the normalizer makes of its scores. */
export function Weights({ of, i, j, onJ }: Step) {
  const words = useWords();
  const may = (n: number) => !of.allowed || of.allowed[i][n];
  const scores = of.scores[i].map((one, n) => one + (of.bias ? of.bias[i][n] : 0));
  const top = Math.max(...scores.filter((_, n) => may(n)));
  const raised = scores.map((one, n) => (may(n) ? Math.exp(one - top) : 0));
  const sum = of.weights[i].reduce((total, one) => total + one, 0);
  const total = raised.reduce((all, one) => all + one, 0);
  return (
    <>
      <p>{words.normalizerTold(of.normalizer)} {words.weightsSum(number(sum))}</p>
      {of.normalizer === "softmax" && may(j) && (
        <p class="formula">
          <Sign base="α′" down={`${i},${j}`} /> = {number(raised[j])} / {number(total)} = {number(raised[j] / total)}
        </p>
      )}
      <Everyone of={of} i={i} j={j} onJ={onJ} columns={[
        { name: words.score, values: scores },
        ...(of.normalizer === "softmax" ? [{ name: words.exponential, values: raised }] : []),
        { name: words.weight, values: of.weights[i], bars: true },
      ]} />
    </>
  );
}

/** b of who asks: the values, weighted and added up. */
export function Sums({ of, i, j, onJ }: Step) {
  const words = useWords();
  const [d, setD] = useState(0);
  const parts = of.v.map((value, n) => of.weights[i][n] * value[d]);
  const sum = parts.reduce((total, one) => total + one, 0);
  return (
    <>
      <p>{words.sumTold}</p>
      <Vector name={<Sign base="b" up={i} />} formula={<>Σ<sub>j</sub> <Sign base="α′" down={`${i},j`} /> v<sup>j</sup></>} of={of.asking[i]} values={of.output[i]} />
      <label>
        {words.number}
        <select value={d} onChange={(event) => setD(Number(event.currentTarget.value))}>
          {of.output[i].map((_, n) => <option value={n}>{n + 1}</option>)}
        </select>
      </label>
      <Everyone of={of} i={i} j={j} onJ={onJ} sum={sum} columns={[
        { name: words.weight, values: of.weights[i] },
        { name: "v", values: of.v.map((value) => value[d]) },
        { name: "α′ × v", values: parts, bars: true },
      ]} />
      {Math.abs(sum - of.output[i][d]) > WRONG && <p class="quiet">{words.finish(of.normalizer, number(of.output[i][d]))}</p>}
    </>
  );
}

interface Column {
  name: string;
  values: number[];
  bars?: boolean;
}

/** A row for everyone who is asked; a press chooses one. */
function Everyone(props: Step & { columns: Column[]; sum?: number }) {
  const words = useWords();
  const { of, i, j, columns } = props;
  const most = columns.map(({ values }) => Math.max(...values.map(Math.abs)) || 1);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${words.isAsked}: ${columns.map(({ name }) => name).join(", ")}`}>
      <table class="numbers everyone">
        <thead>
          <tr>
            <th scope="col">j</th>
            <th scope="col">{words.element}</th>
            {columns.map(({ name, bars }) => <><th scope="col" class="number">{name}</th>{bars && <td />}</>)}
          </tr>
        </thead>
        <tbody>
          {of.asked.map((name, n) => (
            <tr class={n === j ? "here" : ""}>
              <td class="number">{n}</td>
              <th scope="row"><button type="button" class="plain" aria-pressed={n === j} onClick={() => props.onJ(n)}>{name}</button></th>
              {columns.map(({ values, bars }, c) => (
                <>
                  <td class="number">{of.allowed && !of.allowed[i][n] ? <span class="quiet">{words.hidden}</span> : number(values[n])}</td>
                  {bars && <td class="drawn"><Bar share={values[n] / most[c]} /></td>}
                </>
              ))}
            </tr>
          ))}
          {props.sum !== undefined && (
            <tr><td /><th scope="row">{words.sum}</th>{columns.slice(1).map(() => <td />)}<td class="number"><strong>{number(props.sum)}</strong></td><td /></tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** A bar to the right of the middle for what is positive, to the left for what is negative. */
export function Bar({ share }: { share: number }) {
  return (
    <svg class="bar" aria-hidden="true" viewBox="-50 0 100 8" preserveAspectRatio="none">
      <rect class={share < 0 ? "negative" : "fill"} x={share < 0 ? 50 * share : 0} width={Math.abs(50 * share)} height="8" />
      <path class="middle" d="M0 0v8" />
    </svg>
  );
}
