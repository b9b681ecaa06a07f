// The token that the page shows to a server that asks for one. It stays in this tab, and ends with it.

const KEY = "aura.token";
const listeners = new Set();

let current = sessionStorage.getItem(KEY) ?? undefined;
let asker;
let asking;
let left = false; // who has left the question is not asked again until they want to be

/** The token, or undefined. */
export const token = () => current;

/** Calls `listener()` whenever the token changes; what it answers ends that. */
export function onToken(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Lets `ask(why)` ask a person for a token, with why the one shown was refused; it answers undefined when the question was left. */
export function askWith(ask) {
  asker = ask;
}

/**
 * Has a person asked for another token than `refused`, which the server refused for the reason
 * `why`. Answers whether there is one now. Nobody is asked twice at the same time.
 */
export async function needToken(refused, why) {
  if (current !== refused) return true;
  if (left || !asker) return false;
  asking ??= asker(refused && why).finally(() => {
    asking = undefined;
  });
  const given = await asking;
  if (given === undefined) left = true;
  else setToken(given);
  return given !== undefined;
}

/** Takes `value` as the token from now on. */
export function setToken(value) {
  if (value === current) return;
  current = value;
  left = false;
  sessionStorage.setItem(KEY, value);
  for (const listener of [...listeners]) listener();
}

/** Lets the question be asked again. */
export function askAgain() {
  left = false;
}

/** Forgets the token. */
export function forgetToken() {
  sessionStorage.removeItem(KEY);
}
