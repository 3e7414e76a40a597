// Puts each snapshot onto the page.

import { Chart } from "/assets/chart.js";
import { Feed } from "/assets/feed.js";
import { bytes, clock, count, rate, span } from "/assets/format.js";
import { showList, showPools, showRefusals, write } from "/assets/parts.js";
import { Table } from "/assets/table.js";

const at = (id) => document.getElementById(id);
const wanted = { q: "", sessions: "-session", pinholes: "expires" };
const states = {
  connecting: "The server has not been reached yet.",
  readable: "The gateway reads the dialogue.",
  opaque: "Encrypted: the gateway cannot read it any more, nor open data connections.",
};
let taken = 0; // when the snapshot on the page was taken, in ms

// protections are the versions of TLS that ends at the gateway, on each side.
const protections = (s) => [
  ...(s.tls ? [s.tls.version] : []),
  ...(s.server_tls ? [`${s.server_tls.version} with the server`] : []),
];
const ciphers = (s) => [
  ...(s.tls ? [`With the client: ${s.tls.version}, ${s.tls.cipher}.`] : []),
  ...(s.server_tls ? [`With the server: ${s.server_tls.version}, ${s.server_tls.cipher}.`] : []),
];

// carried is what the data connections of a session carried, both ways.
const carried = (s) => s.from_client + s.from_server;

const sessions = new Table(at("sessions"), wanted.sessions, {
  key: (s) => s.session,
  cells: {
    session: (s) => String(s.session),
    listener: (s) => s.listener,
    client: (s) => s.client,
    server: (s) => s.server,
    state: (s) => ({ text: [s.state, ...protections(s)].join(", "), mark: s.state, title: [states[s.state], ...ciphers(s)].join(" ") }),
    idle: (s) => span(s.idle_seconds),
    transferring: (s) => (s.transferring ? { text: s.transfer?.relayed ? "in progress, relayed" : "in progress", mark: "transfer" } : "–"),
    bytes: (s) => (carried(s) ? { text: bytes(carried(s)), title: `${count(carried(s))} bytes` } : "–"),
  },
  sorted: (order) => ask({ sessions: order }),
});

const pinholes = new Table(at("pinholes"), wanted.pinholes, {
  key: (p) => `${p.session} ${p.to} ${p.from}`,
  cells: {
    session: (p) => String(p.session),
    mode: (p) => p.mode,
    from: (p) => p.from,
    to: (p) => p.to,
    target: (p) => p.target,
    state: (p) => p.state,
    expires: (p) => span((Date.parse(p.expires) - taken) / 1000),
  },
  sorted: (order) => ask({ pinholes: order }),
});

const throughput = new Chart(at("bytes-chart"), "Bytes per second", (n) => `${bytes(n)}/s`);
const transfers = new Chart(at("transfers-chart"), "Transfers per second", rate);

const feed = new Feed(show, (since) => {
  write(at("live"), since ? `Not live, since ${clock(since)}` : "Not live yet");
  at("live").dataset.live = "no";
});

function serverState({ listener, server, up, error, sessions }) {
  const state = up ? `${count(sessions)} sessions` : `left out: ${error}`;
  return `${listener}: ${server}, ${state}`;
}

function ask(change) {
  Object.assign(wanted, change);
  feed.ask(new URLSearchParams(wanted));
}

function show(snapshot) {
  taken = Date.parse(snapshot.taken);
  write(at("live"), "Live");
  at("live").dataset.live = "yes";
  write(at("ready"), snapshot.ready ? "Ready" : "Not ready");
  at("ready").dataset.ready = snapshot.ready ? "yes" : "no";
  document.title = `${snapshot.ready ? "" : "Not ready: "}ftpalg, ${count(snapshot.sessions.total)} sessions`;
  write(at("version"), snapshot.version);
  write(at("path"), snapshot.path);
  write(at("why"), snapshot.why);
  write(at("uptime"), span((taken - Date.parse(snapshot.started)) / 1000));
  at("missing").hidden = !snapshot.missing?.length;
  showList(at("missing").querySelector("ul"), snapshot.missing ?? []);
  showList(at("listeners"), snapshot.listeners ?? []);
  at("farm").hidden = !snapshot.servers?.length;
  showList(at("servers"), (snapshot.servers ?? []).map(serverState));
  const uncounted = snapshot.counters.transfers > 0 && !snapshot.counters.counted;
  at("uncounted").hidden = !uncounted;
  at("bytes-chart").hidden = uncounted;
  throughput.show(snapshot.traffic.bytes ?? [], snapshot.traffic.step);
  transfers.show(snapshot.traffic.transfers ?? [], snapshot.traffic.step);
  showPools(at("pools"), [
    { name: "Passive", ...snapshot.ports.passive },
    { name: "Active", ...snapshot.ports.active },
  ]);
  showRefusals(at("refusals"), snapshot.refusals ?? []);
  at("no-refusals").hidden = Boolean(snapshot.refusals?.length);
  sessions.show(snapshot.sessions, wanted.q, "Nobody is connected.");
  pinholes.show(snapshot.pinholes, wanted.q, "No data connection is promised.");
}

function listenForSearch() {
  const query = at("query");
  let pause = 0;
  query.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => ask({ q: query.value.trim() }), 150);
  });
  at("search").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      query.focus();
      query.select();
    }
  });
}

listenForSearch();
ask({});
