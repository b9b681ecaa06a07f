// The log stream: one WebSocket that comes back by itself, and goes on where it was.

import { logStreamUrl } from "../api.js";
import { onToken } from "../token.js";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5_000;
const SILENCE_MS = 25_000;
const ANSWER_MS = 10_000;

/**
 * Watches the log. `listener` has
 * `entries(list)`: each entry once, in the order of their `seq`;
 * `dropped({from_seq, to_seq, count})`: entries that the server did not send, as this page is too slow;
 * `missing({from_seq, to_seq})`: entries that the server no longer keeps;
 * `restarted()`: the server has a new log, what comes now has nothing to do with what came before;
 * `state("connecting" | "live" | "waiting")`; `refused(problem)`.
 */
export class LogStream {
  #listener;
  #filter = {};
  #tail = 0;
  #socket;
  #connecting = false;
  #seen; // the newest seq that was asked for and seen, undefined before the first
  #unanswered = 0; // hellos that are still to come: entries before the last one are of an older subscription
  #retryMs = FIRST_RETRY_MS;
  #timer;
  #watchdog;
  #ended = false;
  #unlisten;

  constructor(listener) {
    this.#listener = listener;
    const now = () => document.hidden || this.#retryNow();
    addEventListener("online", now);
    document.addEventListener("visibilitychange", now);
    const offToken = onToken(now);
    this.#unlisten = () => {
      removeEventListener("online", now);
      document.removeEventListener("visibilitychange", now);
      offToken();
    };
  }

  /** Watches no more. */
  end() {
    this.#ended = true;
    this.#unlisten();
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    if (this.#socket?.readyState !== WebSocket.CONNECTING) this.#socket?.close(); // else once it is open
  }

  /** Turns to the entries that pass `filter` (`{level, cid, …}`), the last `tail` of them first. */
  watch(filter, tail) {
    this.#filter = filter;
    this.#tail = tail;
    this.#seen = undefined;
    if (!this.#socket) this.#connect();
    else if (this.#socket.readyState === WebSocket.OPEN) this.#subscribe();
  }

  async #connect() {
    clearTimeout(this.#timer);
    if (this.#connecting || this.#ended) return;
    this.#connecting = true;
    this.#listener.state("connecting");
    let url;
    try {
      url = await logStreamUrl();
    } catch {
      this.#later(); // the other views meet the same trouble, and tell it
      return;
    } finally {
      this.#connecting = false;
    }
    if (this.#ended) return;
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#unanswered = 1;
    socket.onopen = () => (this.#ended ? socket.close() : this.#subscribe());
    socket.onmessage = (message) => {
      if (this.#ended) return;
      this.#listen(socket);
      this.#take(JSON.parse(message.data));
    };
    socket.onclose = () => {
      clearTimeout(this.#watchdog);
      this.#later();
    };
  }

  #later() {
    if (this.#ended) return;
    this.#listener.state("waiting");
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs * (0.5 + Math.random()));
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #retryNow() {
    if (!this.#socket || this.#socket.readyState === WebSocket.CLOSED) this.#connect();
  }

  // A browser does not show the server's heartbeats: after a silence, ask whether it is still there.
  #listen(socket) {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(JSON.stringify({ type: "ping" }));
      this.#watchdog = setTimeout(() => socket.close(), ANSWER_MS);
    }, SILENCE_MS);
  }

  #subscribe() {
    const from = this.#seen === undefined ? { tail: this.#tail } : { since: this.#seen };
    this.#unanswered += 1;
    this.#socket.send(JSON.stringify({ type: "subscribe", ...this.#filter, ...from, batch: true }));
  }

  #take({ type, payload }) {
    if (type === "hello") {
      this.#unanswered -= 1;
      if (this.#unanswered === 0) this.#begin(payload);
    } else if (type === "error") {
      // In place of the hello that answers a subscribe; what was watched before goes on.
      this.#unanswered = Math.max(0, this.#unanswered - 1);
      this.#listener.refused(payload);
    } else if (this.#unanswered === 0) {
      if (type === "log") this.#hand([payload]);
      else if (type === "logs") this.#hand(payload);
      else if (type === "caught_up") this.#saw(payload.seq);
      else if (type === "dropped") {
        this.#saw(payload.to_seq);
        this.#listener.dropped(payload);
      }
    }
  }

  #begin({ seq, oldest_seq: oldest }) {
    if (this.#seen !== undefined && seq < this.#seen) {
      this.#seen = undefined;
      this.#listener.restarted();
      this.#subscribe();
      return;
    }
    if (this.#seen !== undefined && oldest > this.#seen + 1) {
      this.#listener.missing({ from_seq: this.#seen + 1, to_seq: oldest - 1 });
    }
    this.#retryMs = FIRST_RETRY_MS;
    this.#listener.state("live");
  }

  #hand(entries) {
    const fresh = this.#seen === undefined ? entries : entries.filter((entry) => entry.seq > this.#seen);
    if (!fresh.length) return;
    this.#saw(fresh.at(-1).seq);
    this.#listener.entries(fresh);
  }

  #saw(seq) {
    this.#seen = Math.max(this.#seen ?? 0, seq);
  }
}
