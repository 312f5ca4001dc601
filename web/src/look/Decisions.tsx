import type { Decision } from "../types";
import { useWords } from "../words";

/** Why a new sequence was written so, decision by decision. */
export function Decisions({ decisions }: { decisions: Decision[] }) {
  const words = useWords();
  if (!decisions.length) return null;
  return (
    <details>
      <summary>{words.decisions}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.decisions}>
        <table>
          <thead>
            <tr>
              {[words.call, words.position, words.decision, words.taken, words.probability, words.instead].map((name) => <th scope="col">{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {decisions.map((one) => (
              <tr>
                <td class="number">{one.call}</td>
                <td class="number">{one.where}</td>
                <td>{words.kinds[one.what] ?? one.what}</td>
                <td><strong>{one.taken}</strong></td>
                <td class="number">{one.what === "draft" ? "" : Math.exp(one.log_p).toFixed(3)}</td>
                <td>{one.others.map(([piece, logP]) => `${piece} ${Math.exp(logP).toFixed(3)}`).join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
