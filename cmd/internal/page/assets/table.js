// A table whose rows come and go, and whose column heads ask for another order.

import { count } from "/assets/format.js";

/**
 * Shows rows in the table `element`. `key` names a row for its life; `cells`
 * says for each column of the head how its cell is written: as a text, or as
 * {text, mark, title}. `sorted` is called with the order once it has changed:
 * a column, with "-" before it where it descends.
 */
export class Table {
  #head;
  #body;
  #count;
  #none;
  #scroll;
  #key;
  #cells;
  #rows = new Map();

  constructor(element, order, { key, cells, sorted }) {
    const section = element.closest("section");
    this.#head = [...element.tHead.rows[0].cells];
    this.#body = element.tBodies[0];
    this.#count = section.querySelector(".count");
    this.#none = section.querySelector(".none");
    this.#scroll = section.querySelector(".scroll");
    this.#key = key;
    this.#cells = cells;
    for (const head of this.#head) {
      head.querySelector("button").addEventListener("click", () => {
        const descends = head.ariaSort === "ascending";
        this.#mark((descends ? "-" : "") + head.dataset.column);
        sorted((descends ? "-" : "") + head.dataset.column);
      });
    }
    this.#mark(order);
  }

  #mark(order) {
    for (const head of this.#head) {
      const sorted = order.replace(/^-/, "") === head.dataset.column;
      head.ariaSort = sorted ? (order.startsWith("-") ? "descending" : "ascending") : "none";
    }
  }

  /** Shows what one snapshot holds of the table. */
  show({ rows, matched, total }, query, nothing) {
    const old = this.#rows;
    this.#rows = new Map();
    let last = null;
    for (const row of rows) {
      const key = this.#key(row);
      const shown = old.get(key) ?? this.#make();
      old.delete(key);
      this.#rows.set(key, shown);
      this.#fill(shown, row);
      const next = last ? last.nextSibling : this.#body.firstChild;
      if (next !== shown) this.#body.insertBefore(shown, next);
      last = shown;
    }
    for (const gone of old.values()) gone.remove();
    this.#summarise(rows.length, matched, total, query, nothing);
  }

  #make() {
    const row = document.createElement("tr");
    for (const head of this.#head) {
      const cell = document.createElement("td");
      cell.className = head.className;
      cell.dataset.label = head.textContent;
      row.append(cell);
    }
    return row;
  }

  #fill(shown, row) {
    this.#head.forEach((head, i) => {
      const content = this.#cells[head.dataset.column](row);
      const { text, mark = "", title = "" } = typeof content === "object" ? content : { text: content };
      const cell = shown.cells[i];
      if (cell.textContent !== text) cell.textContent = text;
      if (cell.title !== title) cell.title = title;
      if ((cell.dataset.mark ?? "") !== mark) cell.dataset.mark = mark;
    });
  }

  #summarise(shown, matched, total, query, nothing) {
    let text = count(total);
    if (query) text = `${count(matched)} of ${text} match`;
    if (shown < matched) text += `, ${count(shown)} shown, ${count(matched - shown)} left out`;
    if (this.#count.textContent !== text) this.#count.textContent = text;
    this.#scroll.hidden = shown === 0;
    this.#none.hidden = shown > 0;
    this.#none.textContent = query && total > 0 ? `None of ${count(total)} matches.` : nothing;
  }
}
