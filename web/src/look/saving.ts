/** Let the browser save a file; nothing goes over a network. */
export function saved(name: string, kind: string, content: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: kind }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** A drawing as a file of its own: what styles it in the page is written into it. */
export function savedPicture(name: string, picture: SVGElement): void {
  const copy = picture.cloneNode(true) as SVGElement;
  const here = [picture, ...picture.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, n) => {
    const style = getComputedStyle(here[n]);
    for (const what of ["fill", "stroke", "stroke-width", "font-size", "font-family", "fill-opacity"])
      element.setAttribute(what, style.getPropertyValue(what));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  saved(name, "image/svg+xml", new XMLSerializer().serializeToString(copy));
}
