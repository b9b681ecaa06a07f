// Addresses within the page: the part behind `#`, a path and a query. They can be linked, and "back" works.

/** @typedef {{words: string[], query: URLSearchParams}} Route */

export const HOME = "#/";

const address = (...words) => `#/${words.map(encodeURIComponent).join("/")}`;

const withQuery = (hash, query) => {
  const text = new URLSearchParams(Object.entries(query).flatMap(([name, value]) => [value].flat().map((each) => [name, each]))
    .filter(([, value]) => value !== undefined && value !== "")).toString();
  return text ? `${hash}?${text}` : hash;
};

export const toRun = (cid) => address("runs", cid);
export const toRuns = (query = {}) => withQuery(address("runs"), query);
export const toPlan = (plan) => address("plans", plan);
export const toLogs = (query = {}) => withQuery(address("logs"), query);
export const toQueue = (query = {}) => withQuery(address("queue"), query);

/** A task and its form; with `from`, filled in with the inputs of that run. */
export const toTask = (plan, task, from) => withQuery(address("plans", plan, task), { from });

/** @returns {Route} */
export function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  try {
    return { words: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
  } catch {
    return { words: [], query: new URLSearchParams() }; // a mangled link
  }
}

export function go(hash) {
  location.hash = hash;
}

/** Puts another address in place of the present one, so that "back" does not stop at each letter of a search. */
export function replace(hash) {
  history.replaceState(null, "", hash);
}

/** Calls `listener(route())` now and whenever the address changes. */
export function onRoute(listener) {
  addEventListener("hashchange", () => listener(route()));
  listener(route());
}
