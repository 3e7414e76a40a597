// The parts of the page that are lists.

import { count } from "/assets/format.js";

/** Sets a text, only if it differs: what is selected stays so. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(name, className = "", ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Makes the children of `list` as many as `values`, and has each shown. */
function each(list, values, fresh, show) {
  while (list.children.length > values.length) list.lastElementChild.remove();
  while (list.children.length < values.length) list.append(fresh());
  values.forEach((value, i) => show(list.children[i], value));
}

export const showList = (list, texts) => each(list, texts, () => make("li"), write);

function makePool() {
  const bar = make("div", "bar", make("div", "promised"), make("div", "resting"));
  bar.setAttribute("role", "meter");
  bar.setAttribute("aria-valuemin", "0");
  return make("div", "pool", make("p", "", make("span", "name"), " ", make("span", "level")), bar);
}

export function showPools(list, pools) {
  each(list, pools, makePool, (pool, { name, total, leased, resting }) => {
    const level = `${count(leased)} promised, ${count(resting)} resting, ${count(total - leased - resting)} free`;
    const bar = pool.querySelector(".bar");
    write(pool.querySelector(".name"), name);
    write(pool.querySelector(".level"), level);
    bar.setAttribute("aria-label", `${name} ports in use`);
    bar.setAttribute("aria-valuemax", total);
    bar.setAttribute("aria-valuenow", leased + resting);
    bar.setAttribute("aria-valuetext", level);
    bar.dataset.full = (leased + resting) / total > 0.9 ? "yes" : "no";
    bar.querySelector(".promised").style.width = `${(100 * leased) / total}%`;
    bar.querySelector(".resting").style.width = `${(100 * resting) / total}%`;
  });
}

export function showRefusals(list, refusals) {
  each(list, refusals, () => make("div", "", make("dt"), make("dd")), (row, { reason, count: times }) => {
    write(row.querySelector("dt"), reason);
    write(row.querySelector("dd"), count(times));
  });
}
