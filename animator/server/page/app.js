// The page's beginning: what the address says, the server's settings, then the page for one person.

import { fetchConfig } from "./api.js";
import { byId, copy, make, toast, write } from "./dom.js";
import { Notice } from "./notice.js";
import { Page } from "./page.js";
import { goToRoom, keepToken, linkToRoom, readPlace, takeToken, token } from "./place.js";

const MODES = [
  ["video", "Video", "The server draws the puppet"],
  ["numbers", "Numbers, 10 kbit/s", "This device draws the puppet"],
];

function buildPlace(room) {
  document.title = `${room} · animator`;
  write(byId("room-name"), room);
  byId("move-room").value = room;
  byId("move").addEventListener("submit", (event) => {
    event.preventDefault();
    goToRoom(byId("move-room").value);
  });
  byId("copy-link").addEventListener("click", async () => {
    const copied = await copy(linkToRoom(room));
    const what = token() ? "Link copied, with the token in it" : "Link copied";
    toast(copied ? `${what}: whoever opens it can watch or perform.` : linkToRoom(room));
  });
}

function offerNumbers() {
  const field = byId("modes");
  for (const [value, title, about] of MODES) {
    const input = make("input", { type: "radio", name: "mode", value, id: `mode-${value}`, checked: value === "video" });
    field.append(input, make("label", { for: input.id, title: about }, title));
  }
  field.hidden = false;
}

/** Even the settings of the place may need the token. */
function askForToken(notice) {
  return new Promise((resolve) => {
    notice.onToken = (value) => {
      keepToken(value);
      resolve();
    };
    notice.show(token() ? "token-wrong" : "token");
  });
}

function pause(notice, seconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    const now = () => {
      clearTimeout(timer);
      resolve();
    };
    notice.show("unreachable", { seconds, acts: { now } });
  });
}

async function begin() {
  takeToken();
  const place = readPlace();
  buildPlace(place.room);
  const notice = new Notice();
  if (!("RTCPeerConnection" in window)) {
    notice.show("no-webrtc");
    return;
  }
  // The page cannot do anything without /config.json: it asks until it has it.
  for (let wait = 1; ; wait = Math.min(15, wait * 2)) {
    try {
      const page = new Page(await fetchConfig(), place, notice);
      notice.hide();
      if (page.config.three) offerNumbers();
      page.show("landing");
      if (place.role === "perform") page.perform();
      if (place.role === "watch") page.watch();
      return;
    } catch (error) {
      if (!error.kind) throw error;
      if (error.kind === "token") await askForToken(notice);
      else await pause(notice, error.retryAfterS || wait);
    }
  }
}

begin();
