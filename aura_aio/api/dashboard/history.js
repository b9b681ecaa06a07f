// What the system's figures were since the page was opened, for charts.

const KEPT = 150; // with one every two seconds, five minutes

/** Puts `value` at the end of a series for a chart, which keeps only the latest. @param {any[]} series */
export function keep(series, value) {
  series.push(value);
  if (series.length > KEPT) series.shift();
}

/** @typedef {{at: number, ready: number, delayed: number, active: number, rate: number}} Sample */

/**
 * Keeps a sample of each answer of the feed of getSystemStatus, for as long as the page is open.
 * `rate` is how many runs have finished in a second.
 * @returns {Sample[]} the array that is added to
 */
export function historyOf(system) {
  /** @type {Sample[]} */
  const samples = [];
  let before;
  system.read(({ runs, queue }) => {
    const now = { at: Date.now(), finished: runs.succeeded + runs.failed + runs.timed_out + runs.cancelled };
    // Old runs are forgotten by and by: then there are fewer than before.
    const rate = before && now.at > before.at ? Math.max(0, ((now.finished - before.finished) * 1_000) / (now.at - before.at)) : 0;
    if (before) keep(samples, { at: now.at, ready: queue.ready_length, delayed: queue.delayed_length, active: runs.running + runs.cancelling, rate });
    before = now;
  });
  return samples;
}
