// The stream of snapshots.

const staleAfter = 3500; // ms; a snapshot is due every second
const tryAgainAfter = 3000; // ms

/**
 * Keeps a stream open. `show` is called with each snapshot, `lost` with the
 * time of the last one (null if there was none) while they do not come.
 */
export class Feed {
  #show;
  #lost;
  #source = null;
  #retry = 0;
  #parameters = "";
  #last = null;

  constructor(show, lost) {
    this.#show = show;
    this.#lost = lost;
    setInterval(() => this.#watch(), 1000);
  }

  /** Asks for snapshots with these parameters from now on. */
  ask(parameters) {
    this.#parameters = parameters;
    this.#open();
  }

  #open() {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource(`/events?${this.#parameters}`);
    this.#source = source;
    source.addEventListener("message", (event) => {
      this.#last = new Date();
      this.#show(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      this.#watch();
      // Otherwise the browser tries again by itself.
      if (source.readyState === EventSource.CLOSED) this.#refused();
    });
  }

  /** The gateway answered, but not with snapshots: it may want the token again. */
  async #refused() {
    this.#retry = setTimeout(() => this.#open(), tryAgainAfter);
    try {
      const answer = await fetch("/", { redirect: "manual" });
      if (answer.type === "opaqueredirect") location.reload();
    } catch {
      // It does not answer; the next try will tell.
    }
  }

  #watch() {
    if (this.#last === null || Date.now() - this.#last > staleAfter) this.#lost(this.#last);
  }
}
