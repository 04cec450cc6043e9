// The server's HTTP side: settings of the place, the offer, the end of a session, recordings.

import { roomFromPath, token } from "./place.js";

/** The server said no, or nothing at all. `kind` names an entry of problems.js; `state` is what became of a session. */
export class ServerProblem extends Error {
  constructor(kind, message = "", retryAfterS = 0, state = "") {
    super(message || kind);
    this.kind = kind;
    this.detail = message;
    this.retryAfterS = retryAfterS;
    this.state = state;
  }
}

const KIND_OF_STATUS = {
  401: "token",
  403: "origin",
  404: "room",
  413: "refused",
  429: "rate",
};

/** Of 503 there are two: no seat is free, or the worker that should have answered has just died. */
function kindOf(status, said) {
  if (status === 503 && typeof said.error === "string") return /\bfull\b/i.test(said.error) ? "full" : "worker-lost";
  return KIND_OF_STATUS[status] ?? (status >= 500 ? "unreachable" : "refused");
}

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
  const retryAfterS = Number.parseFloat(answer.headers.get("Retry-After") ?? "");
  const problem = kindOf(answer.status, said);
  throw new ServerProblem(problem, typeof said.error === "string" ? said.error : "", retryAfterS > 0 ? retryAfterS : 0, said.state);
}

/** The room in the address, where a balancer between several servers sees it. */
function inRoom(url, room = roomFromPath()) {
  return `${url}${url.includes("?") ? "&" : "?"}room=${encodeURIComponent(room)}`;
}

/** /config.json: rigs, views, ice_servers, three, channels, version, token_required. */
export async function fetchConfig(signal) {
  const answer = await ask("/config.json", { signal });
  return answer.json();
}

/** Send an offer; the answer has sdp, type and session. */
export async function sendOffer(offer, signal) {
  const answer = await ask(inRoom("/offer", offer.room), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(offer),
    signal,
  });
  return answer.json();
}

/** "live", or once it is over "ended" or "worker-lost"; the server answers when that is known, or after `waitS`. */
export async function fateOf(session, room, waitS, signal) {
  const query = new URLSearchParams({ room, wait: String(waitS) });
  try {
    await ask(`/sessions/${encodeURIComponent(session)}?${query}`, { signal });
    return "live";
  } catch (error) {
    if (error.state === "ended" || error.state === "worker-lost") return error.state;
    throw error;
  }
}

/** Tell the server that the session is over; also while the page is being closed. */
export function endSession(session) {
  ask(inRoom(`/sessions/${encodeURIComponent(session)}`), { method: "DELETE", keepalive: true }).catch(() => {});
}

/**
 * Bring an avatar's file to a session; gives what it says of itself. `onProgress(share)` of 0..1 while it is sent:
 * fetch cannot tell that, XMLHttpRequest can.
 */
export function bringAvatar(session, file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", inRoom(`/sessions/${encodeURIComponent(session)}/avatar`));
    if (token()) request.setRequestHeader("Authorization", `Bearer ${token()}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.upload.addEventListener("load", () => onProgress(1));
    request.addEventListener("load", () => {
      const said = request.response ?? {};
      if (request.status === 200) resolve(said);
      else reject(new ServerProblem(kindOf(request.status, said), typeof said.error === "string" ? said.error : ""));
    });
    request.addEventListener("error", () => reject(new ServerProblem("unreachable")));
    request.addEventListener("abort", () => reject(new DOMException("called off", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** A recording, as a blob: a plain link could not carry the token. */
export async function fetchFile(url) {
  const address = new URL(url, location.origin);
  if (address.origin !== location.origin) throw new ServerProblem("refused", "The file is on another host.");
  const answer = await ask(inRoom(address.href));
  return answer.blob();
}
