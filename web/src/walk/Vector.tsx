import type { ComponentChildren } from "preact";

/** A number with three decimals and a minus that is one. */
export function number(value: number): string {
  return value.toFixed(3).replace(/^-(0\.000)$/, "$1").replace("-", "−");
}

/** A letter of the lecture, with what stands above and below it. */
export function Sign({ base, up, down }: { base: string; up?: number; down?: string }) {
  return (
    <i class="sign">
      {base}
      {up !== undefined && <sup>{up}</sup>}
      {down !== undefined && <sub>{down}</sub>}
    </i>
  );
}

/** A vector, number by number, the larger the darker; what is negative has its minus and another hue. */
export function Vector(props: { name: ComponentChildren; formula?: ComponentChildren; of: string; values: number[] }) {
  const most = Math.max(...props.values.map(Math.abs)) || 1;
  return (
    <figure class="vector">
      <figcaption>
        {props.name}
        {props.formula && <> = {props.formula}</>} <small>({props.of})</small>
      </figcaption>
      <ol>
        {props.values.map((value) => <li class={`${value < 0 ? "n" : "p"}${Math.min(3, Math.floor((4 * Math.abs(value)) / most))}`}>{number(value)}</li>)}
      </ol>
    </figure>
  );
}
