// The server's HTTP side: settings of the place, the offer, the end of a session, recordings.

import { token } from "./place.js";

/** The server said no, or nothing at all. `kind` names an entry of problems.js. */
export class ServerProblem extends Error {
  constructor(kind, message = "", retryAfterS = 0) {
    super(message || kind);
    this.kind = kind;
    this.detail = message;
    this.retryAfterS = retryAfterS;
  }
}

const KIND_OF_STATUS = {
  401: "token",
  403: "origin",
  404: "room",
  413: "refused",
  429: "rate",
  503: "full",
};

async function ask(url, options = {}) {
  const headers = { ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let answer;
  try {
    answer = await fetch(url, { ...options, headers, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerProblem("unreachable");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  const kind = KIND_OF_STATUS[answer.status] ?? (answer.status >= 500 ? "unreachable" : "refused");
  const retryAfterS = Number.parseFloat(answer.headers.get("Retry-After") ?? "");
  throw new ServerProblem(kind, typeof said.error === "string" ? said.error : "", retryAfterS > 0 ? retryAfterS : 0);
}

/** /config.json: rigs, views, ice_servers, three, channels, version, token_required. */
export async function fetchConfig() {
  const answer = await ask("/config.json");
  return answer.json();
}

/** Send an offer; the answer has sdp, type and session. */
export async function sendOffer(offer, signal) {
  const answer = await ask("/offer", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(offer),
    signal,
  });
  return answer.json();
}

/** Tell the server that the session is over; also while the page is being closed. */
export function endSession(session) {
  ask(`/sessions/${encodeURIComponent(session)}`, { method: "DELETE", keepalive: true }).catch(() => {});
}

/** A recording, as a blob: a plain link could not carry the token. */
export async function fetchFile(url) {
  const address = new URL(url, location.origin);
  if (address.origin !== location.origin) throw new ServerProblem("refused", "The file is on another host.");
  const answer = await ask(address.href);
  return answer.blob();
}
