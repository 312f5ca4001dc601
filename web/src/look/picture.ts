import type { AttentionMap, Part, View } from "../types";

/** One heat map of a view: the same numbers and shades as `View.picture` of Python gives, which a test compares. */
export interface Picture {
  rows: string[];
  columns: string[];
  values: number[][];
}

/** A head by its number, or the mean of all. */
export type Head = number | "mean";

export function mapOf(view: View, part: Part): AttentionMap | undefined {
  return view.maps.find((map) => map.part === part);
}

export function pictureOf(map: AttentionMap, layer: number, head: Head): Picture {
  const heads = map.weights[map.layers.indexOf(layer)];
  const values =
    head === "mean"
      ? map.asking.map((_, i) =>
          map.asked.map((_, j) => heads.reduce((sum, one) => sum + one[i][j], 0) / heads.length),
        )
      : heads[map.heads.indexOf(head)];
  return { rows: map.asking, columns: map.asked, values };
}

/** Amounts from 0 up as shades: 0 for nothing, then 1 … 7, evenly up to the largest of them. */
export function shadesOf(values: number[][]): number[][] {
  let top = 0;
  for (const row of values) for (const value of row) if (value > top) top = value;
  top ||= 1;
  return values.map((row) =>
    row.map((value) => (value <= 0 ? 0 : Math.min(7, 1 + Math.floor((7 * value) / top)))),
  );
}

/** What one row took of each column; the mean of all rows where none is chosen. */
export function rowOf(picture: Picture, row: number | null): number[] {
  if (row !== null) return picture.values[row];
  return picture.columns.map(
    (_, j) => picture.values.reduce((sum, each) => sum + each[j], 0) / Math.max(picture.values.length, 1),
  );
}

/** The columns that a row looked at most; of equal ones the first. */
export function bestOf(row: number[], most = 3): number[] {
  const order = row.map((_, j) => j).sort((a, b) => row[b] - row[a] || a - b);
  return order.slice(0, most).filter((j) => row[j] > 0);
}

/** A weight with three decimals, halves rounded up, as Python does it. */
export function three(weight: number): string {
  return (Math.floor(1000 * weight + 0.5) / 1000).toFixed(3);
}

/** The paths of the shades 1 … 7 in units of a cell: one rectangle for every run of equal cells. */
export function cells(shades: number[][]): string[] {
  const paths = Array<string>(8).fill("");
  shades.forEach((row, i) => {
    for (let j = 0; j < row.length; ) {
      let end = j + 1;
      while (end < row.length && row[end] === row[j]) end += 1;
      if (row[j]) paths[row[j]] += `M${j} ${i}h${end - j}v1h-${end - j}z`;
      j = end;
    }
  });
  return paths.slice(1);
}

/** A name that fits. */
export function cut(name: string, most: number): string {
  const letters = [...name];
  return letters.length <= most ? name : `${letters.slice(0, most - 1).join("")}…`;
}
