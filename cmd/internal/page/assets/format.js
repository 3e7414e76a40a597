// How values are written for people.

const whole = new Intl.NumberFormat("en");
const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/** A number with its thousands apart. */
export const count = (n) => whole.format(n);

/** An amount of bytes with three digits and a unit (SI, powers of 1000). */
export function bytes(n) {
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(n) : n.toPrecision(3)}\u00a0${units[unit]}`;
}

/** A rate a second, often below one, with two digits behind the point at most. */
export const rate = (n) => `${count(n >= 100 ? Math.round(n) : Number(n.toFixed(2)))}/s`;

/** A time in seconds with its two greatest units. */
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** The time of day, here. */
export const clock = (date) => date.toLocaleTimeString("en-GB");
