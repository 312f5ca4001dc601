"use strict";
// Redraws what Python drew first, by the same rules: shades 1 to 7 evenly up to the largest, 0 for nothing.
const view = JSON.parse(document.getElementById("view").textContent);
const form = document.querySelector(".choosers");
const lists = form && Object.fromEntries([...form.querySelectorAll("select")].map((list) => [list.id, list]));
const chosen = { part: view.part, row: null };
const THICK = 9;

function shadesOf(rows) {
  const top = Math.max(0, ...rows.map((row) => row.reduce((most, value) => Math.max(most, value), 0))) || 1;
  return rows.map((row) => row.map((value) => (value <= 0 ? 0 : Math.min(7, 1 + Math.floor((7 * value) / top)))));
}

function table(map) {
  const heads = map.weights[map.layers.indexOf(Number(lists.layer.value))];
  if (lists.head.value !== "mean") return heads[map.heads.indexOf(Number(lists.head.value))];
  return map.asking.map((_, i) => map.asked.map((_, j) => heads.reduce((sum, head) => sum + head[i][j], 0) / heads.length));
}

function rowOf(values, row) {
  if (row !== null) return values[row];
  return (values[0] || []).map((_, j) => values.reduce((sum, each) => sum + each[j], 0) / values.length);
}

function three(weight) {
  return (Math.floor(1000 * weight + 0.5) / 1000).toFixed(3);
}

function cells(shades) {
  const paths = Array(8).fill("");
  shades.forEach((row, i) => {
    for (let j = 0; j < row.length; ) {
      let end = j + 1;
      while (end < row.length && row[end] === row[j]) end += 1;
      if (row[j]) paths[row[j]] += `M${j} ${i}h${end - j}v1h-${end - j}z`;
      j = end;
    }
  });
  return paths;
}

function paint(group, shades) {
  if (group) cells(shades).forEach((path, shade) => shade && group.querySelector(`.c${shade}`).setAttribute("d", path));
}

function told(map, values) {
  const row = rowOf(values, chosen.row);
  const order = row.map((_, j) => j).sort((a, b) => row[b] - row[a] || a - b).slice(0, 3).filter((j) => row[j] > 0);
  const who = chosen.row === null ? "all" : map.asking[chosen.row];
  return `${who} looked most at ${order.map((j) => `${map.asked[j]} ${three(row[j])}`).join(", ")}`;
}

function paintGraph(panel, values, shades) {
  const graph = panel.querySelector(".graph");
  if (!graph) return;
  const nodes = [...graph.querySelectorAll(".node")];
  nodes.forEach((node, j) => {
    node.setAttribute("class", `node w${shades[j]}${chosen.row === j ? " here" : ""}`);
    node.querySelector("circle").setAttribute("class", `c${shades[j]}`);
  });
  const lines = [...graph.querySelectorAll(".edges line")];
  const square = values.length === nodes.length;
  const both = lines.map(({ dataset: { i, j } }) => (square ? (values[i][j] + values[j][i]) / 2 : 0));
  const top = Math.max(...both, 0) || 1;
  lines.forEach((line, n) => line.setAttribute("stroke-width", (1 + ((THICK - 1) * both[n]) / top).toFixed(2)));
  const rays = graph.querySelector(".rays");
  rays.replaceChildren();
  graph.classList.toggle("choosing", square && chosen.row !== null);
  if (!square || chosen.row === null) return;
  const row = values[chosen.row];
  const most = Math.max(...row, 0) || 1;
  const [from, ...places] = [chosen.row, ...nodes.keys()].map((n) => nodes[n].querySelector("circle"));
  places.forEach((to, j) => {
    if (to === from || row[j] / most < 0.02) return;
    const ray = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const ends = { x1: from.getAttribute("cx"), y1: from.getAttribute("cy"), x2: to.getAttribute("cx"), y2: to.getAttribute("cy") };
    Object.entries({ ...ends, "stroke-width": 1 + ((THICK - 1) * row[j]) / most }).forEach(([name, value]) => ray.setAttribute(name, value));
    rays.append(ray);
  });
}

function draw() {
  const map = view.maps.find((each) => each.part === chosen.part);
  const values = table(map);
  for (const panel of document.querySelectorAll(".panel")) panel.hidden = panel.dataset.part !== chosen.part;
  const panel = document.querySelector(`.panel[data-part=${chosen.part}]`);
  const [shades] = shadesOf([rowOf(values, chosen.row)]);
  const heads = lists.head.value === "mean" ? `mean of ${map.heads.length} heads` : `head ${lists.head.value}`;
  panel.querySelector(".title").textContent = `${map.part}, layer ${lists.layer.value}, ${heads}: ${map.told}`;
  panel.querySelector(".told").textContent = told(map, values);
  paint(panel.querySelector(".cells"), shadesOf(values));
  paint(panel.querySelector(".strip"), [shades]);
  panel.querySelectorAll(".words span").forEach((span, j) => span.setAttribute("class", `s${shades[j]}`));
  paintGraph(panel, values, shades);
  for (const button of panel.querySelectorAll(".askers button"))
    button.setAttribute("aria-pressed", String(button.dataset.row === (chosen.row === null ? "all" : String(chosen.row))));
  const mark = panel.querySelector(".chosen");
  const side = Number(mark.dataset.side);
  const [, , top] = panel.querySelector(".cells").getAttribute("transform").match(/translate\((\d+) (\d+)\)/);
  mark.setAttribute("display", chosen.row === null ? "none" : "inline");
  mark.setAttribute("y", Number(top) + (chosen.row || 0) * side);
}

function cellAt(event) {
  const group = event.target.closest(".heat")?.querySelector(".cells");
  if (!group) return null;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(group.getScreenCTM().inverse());
  return { i: Math.floor(at.y), j: Math.floor(at.x) };
}

function fill(list, numbers, first) {
  list.replaceChildren(...first, ...numbers.map((number) => new Option(number, number)));
}

function choosePart() {
  chosen.part = lists.part.value;
  chosen.row = null;
  const map = view.maps.find((each) => each.part === chosen.part);
  fill(lists.layer, map.layers, []);
  lists.layer.selectedIndex = map.layers.length - 1;
  fill(lists.head, map.heads, [new Option("mean of all", "mean")]);
}

function listen(panel) {
  const map = view.maps.find((each) => each.part === panel.dataset.part);
  const buttons = [...panel.querySelectorAll(".askers button")];
  panel.querySelector(".askers").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    chosen.row = button.dataset.row === "all" ? null : Number(button.dataset.row);
    draw();
  });
  panel.querySelector(".askers").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && buttons[buttons.indexOf(document.activeElement) + step];
    if (!next) return;
    next.focus();
    next.click();
    event.preventDefault();
  });
  const heat = panel.querySelector(".heat");
  heat.addEventListener("mousemove", (event) => {
    const { i, j } = cellAt(event);
    const inside = i >= 0 && j >= 0 && i < map.asking.length && j < map.asked.length;
    panel.querySelector(".pointed").textContent = inside ? `${map.asking[i]} took ${three(table(map)[i][j])} of ${map.asked[j]}` : "";
  });
  heat.addEventListener("click", (event) => {
    const { i } = cellAt(event);
    if (i < 0 || i >= map.asking.length) return;
    chosen.row = i === chosen.row ? null : i;
    draw();
  });
  panel.querySelectorAll(".node").forEach((node, i) =>
    node.addEventListener("click", () => {
      if (map.asking.length !== map.asked.length) return;
      chosen.row = i === chosen.row ? null : i;
      draw();
    }),
  );
}

if (form) {
  form.hidden = false;
  document.querySelectorAll(".panel").forEach(listen);
  lists.part.addEventListener("change", () => { choosePart(); draw(); });
  lists.layer.addEventListener("change", draw);
  lists.head.addEventListener("change", draw);
  draw();
}
