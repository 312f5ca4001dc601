/** The colour of what an element added: n3 … n1 for less, p0 for nothing, p1 … p3 for more. */
export function levelOf(value: number, most: number): string {
  return `${value < 0 ? "n" : "p"}${Math.min(3, Math.floor((4 * Math.abs(value)) / most))}`;
}

/** A number with three digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/** The same with its sign, whichever it is. */
export function signed(value: number): string {
  return value > 0 ? `+${short(value)}` : short(value);
}
