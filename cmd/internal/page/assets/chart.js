// A small area chart of the last minutes.

const names = "http://www.w3.org/2000/svg";
const width = 300;
const height = 80;

function svg(name, attributes) {
  const element = document.createElementNS(names, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function text(name, className) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

/** The least of 1, 2, 5, 10, 20, … that is not below n. */
function ceiling(n) {
  if (n <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((m) => m * power).find((c) => c >= n);
}

/** Draws in the element `at`; `write` turns a value into words, `what` names it. */
export class Chart {
  #image = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
  #area = svg("path", { class: "area" });
  #line = svg("path", { class: "line" });
  #now = text("p", "now");
  #top = text("span", "top");
  #start = text("span", "start");
  #what;
  #write;

  constructor(at, what, write) {
    this.#what = what;
    this.#write = write;
    for (const y of [1, height / 2, height - 1]) this.#image.append(svg("path", { class: "grid", d: `M0 ${y}H${width}` }));
    this.#image.append(this.#area, this.#line);
    const end = text("span", "end");
    end.textContent = "now";
    const plot = text("div", "plot");
    plot.append(this.#image, this.#start, end);
    for (const label of [this.#top, this.#start, end]) label.setAttribute("aria-hidden", "true");
    at.append(this.#now, this.#top, plot);
  }

  /** Shows values, oldest first, each of which stands for `step` seconds. */
  show(values, step) {
    const most = Math.max(0, ...values);
    const now = values.at(-1) ?? 0;
    const top = ceiling(most);
    const x = (i) => ((i * width) / Math.max(1, values.length - 1)).toFixed(1);
    const y = (v) => (height - 1 - (v / top) * (height - 2)).toFixed(1);
    const line = values.map((v, i) => `${x(i)} ${y(v)}`).join("L");
    this.#line.setAttribute("d", `M${line}`);
    this.#area.setAttribute("d", `M0 ${height}L${line}L${width} ${height}Z`);
    const minutes = Math.round((values.length * step) / 60);
    this.#now.textContent = this.#write(now);
    this.#top.textContent = most > 0 ? `up to ${this.#write(top)}` : "";
    this.#start.textContent = `${minutes} min ago`;
    this.#image.setAttribute("aria-label", `${this.#what} over the last ${minutes} minutes: ${this.#write(now)} now, ${this.#write(most)} at most.`);
  }
}
