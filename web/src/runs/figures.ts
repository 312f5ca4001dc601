/** What stands in an event beside its figures. */
const BESIDE = ["event", "step", "best", "seconds", "tokens", "tokens_per_second", "learning_rate"];

/** Whether an entry of an event is a figure to be drawn. */
export function isFigure(name: string, value: unknown): value is number {
  return typeof value === "number" && !BESIDE.includes(name);
}

/** A figure with four digits that count. */
export function figure(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(2).replace("-", "−");
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 }).replace("-", "−");
}

/** Seconds as a person reads them. */
export function span(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(0)} min`;
  return seconds < 172800 ? `${(seconds / 3600).toFixed(0)} h` : `${(seconds / 86400).toFixed(0)} d`;
}
