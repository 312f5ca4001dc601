import type { Graph } from "./given";

/** Bonds that are written; of what is aromatic every other one is double. */
export const BONDS: Record<string, string> = { single: "", double: "=", triple: "#" };
const PLAIN = new Set(["B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I"]);

interface Way {
  to: number;
  edge: number;
}

/** A drawn molecule as SMILES (Weininger 1988): along a tree of its bonds, the others as numbered ends of rings. */
export function smilesOf({ nodes, edges }: Graph): string {
  const ways: Way[][] = nodes.map(() => []);
  edges.forEach(({ from, to }, edge) => {
    ways[from].push({ to, edge });
    ways[to].push({ to: from, edge });
  });
  const { tree, roots } = spanned(ways);
  const rings = edges.map((_, edge) => edge).filter((edge) => !tree.has(edge));
  const bond = (edge: number) => BONDS[edges[edge].kind] ?? "";
  const digit = (edge: number) => {
    const ring = rings.indexOf(edge) + 1;
    return ring > 9 ? `%${ring}` : String(ring);
  };
  function written(n: number, came: number): string {
    const { name } = nodes[n];
    const ends = ways[n].filter(({ edge }) => !tree.has(edge)).map(({ edge }) => bond(edge) + digit(edge));
    const below = ways[n].filter(({ edge }) => tree.has(edge) && edge !== came);
    const branches = below.map(({ to, edge }) => bond(edge) + written(to, edge));
    const last = branches.pop() ?? "";
    return (PLAIN.has(name) ? name : `[${name}]`) + ends.join("") + branches.map((branch) => `(${branch})`).join("") + last;
  }
  return roots.map((root) => written(root, -1)).join(".");
}

/** Edges that reach every node once, and where each connected piece begins. */
function spanned(ways: Way[][]): { tree: Set<number>; roots: number[] } {
  const seen = new Set<number>();
  const tree = new Set<number>();
  const roots: number[] = [];
  ways.forEach((_, root) => {
    if (seen.has(root)) return;
    roots.push(root);
    seen.add(root);
    const open = [root];
    while (open.length) {
      for (const { to, edge } of ways[open.pop()!]) {
        if (seen.has(to)) continue;
        seen.add(to);
        tree.add(edge);
        open.push(to);
      }
    }
  });
  return { tree, roots };
}
