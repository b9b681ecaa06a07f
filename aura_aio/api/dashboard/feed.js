// Answers of the server that are kept fresh while somebody reads them and can see them.

import { Problem } from "./api.js";

const SLOWEST_MS = 5_000;

const reachListeners = new Set();

/** Calls `listener(error)` after each answer of any feed: undefined, or why there was none. */
export function onReach(listener) {
  reachListeners.add(listener);
}

/**
 * Asks with `ask(signal)` every `everyMs` while it has readers and the page is visible, and gives
 * each answer to the readers. After failures it asks less often. Nothing is asked twice at the same
 * time.
 * @param {(signal: AbortSignal) => Promise<any>} ask
 */
export function feedOf(ask, everyMs = 2_000) {
  const readers = new Set();
  let timer;
  let controller;
  let failures = 0;
  let latest;

  async function round() {
    clearTimeout(timer);
    controller?.abort();
    if (document.hidden || !readers.size) return;
    const { signal } = (controller = new AbortController());
    let answer;
    let failure;
    try {
      answer = await ask(signal);
    } catch (error) {
      failure = error;
    }
    if (signal.aborted) return;
    failures = failure ? failures + 1 : 0;
    timer = setTimeout(round, Math.min(everyMs * 2 ** failures, Math.max(SLOWEST_MS, everyMs)));
    for (const listener of reachListeners) listener(failure);
    if (failure) return;
    latest = answer;
    for (const reader of [...readers]) reader(answer);
  }

  document.addEventListener("visibilitychange", round);

  return {
    /** Calls `reader(answer)` now, when there is an answer already, and with each new one; what it answers ends that. */
    read(reader) {
      readers.add(reader);
      if (latest !== undefined) reader(latest);
      if (readers.size === 1) round();
      return () => {
        readers.delete(reader);
        if (!readers.size) {
          clearTimeout(timer);
          controller?.abort();
        }
      };
    },
    /** Asks at once, and goes on from there. */
    refresh: round,
    /** Asks no more. */
    end() {
      readers.clear();
      round();
      document.removeEventListener("visibilitychange", round);
    },
  };
}

/**
 * Calls `turn(signal)`, which should wait for the server (`wait_sec`), again and again while the page
 * is visible, until it answers false. Errors that a later turn can not mend go to `failed(error)`
 * and end it. The answer stops it.
 */
export function follow(turn, failed) {
  let controller;
  let over = false;

  async function loop() {
    const { signal } = (controller = new AbortController());
    let failures = 0;
    while (!signal.aborted && !over) {
      try {
        over = !(await turn(signal));
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status < 500) {
          over = true;
          failed(error);
          return;
        }
        failures += 1;
        await pause(Math.min(1_000 * 2 ** failures, SLOWEST_MS), signal);
      }
    }
  }

  function onVisibility() {
    controller?.abort();
    if (!document.hidden && !over) loop();
  }

  document.addEventListener("visibilitychange", onVisibility);
  onVisibility();
  return () => {
    over = true;
    controller?.abort();
    document.removeEventListener("visibilitychange", onVisibility);
  };
}

/** @returns {Promise<void>} when the time is over, or the signal is given */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
