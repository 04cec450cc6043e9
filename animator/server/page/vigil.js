// Waits to be told that a session is over: a worker that was killed says nothing, and its line falls silent only slowly.

import { fateOf } from "./api.js";

const WAIT_S = 20;
const PAUSE_MS = 3000;

export class Vigil {
  #onOver;
  #aborter = null;

  /** `onOver(fate)`: "ended" or "worker-lost". */
  constructor(onOver) {
    this.#onOver = onOver;
  }

  /** Watch over a session until it is over, or `stop`. */
  keep(session, room) {
    this.stop();
    this.#aborter = new AbortController();
    this.#watch(session, room, this.#aborter.signal).catch(() => {});
  }

  stop() {
    this.#aborter?.abort();
    this.#aborter = null;
  }

  async #watch(session, room, signal) {
    while (!signal.aborted) {
      // A browser has six requests for a host in all its windows: those that nobody sees leave them to others.
      await seen(signal);
      let fate = "";
      try {
        fate = await fateOf(session, room, WAIT_S, signal);
      } catch (error) {
        if (error.kind !== "unreachable") return; // Aborted, or a server that cannot tell.
        await pause(PAUSE_MS);
      }
      if (signal.aborted) return;
      if (fate && fate !== "live") {
        this.#onOver(fate);
        return;
      }
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function seen(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
    look();
  });
}
