// The words of the page in the browser's language.

import en from "./messages/en.js";
import zhCN from "./messages/zh-CN.js";

/** @param {readonly string[]} wanted @returns {[string, Record<string, string>]} */
function choose(wanted) {
  for (const language of wanted) {
    const base = language.toLowerCase().split("-")[0];
    if (base === "zh") return ["zh-CN", zhCN];
    if (base === "en") return ["en", en];
  }
  return ["en", en];
}

const [chosen, messages] = choose(navigator.languages ?? [navigator.language]);

/** The language of the page, as of BCP 47. */
export const language = chosen;

/** The message of this name, with `{name}` replaced by `values.name`, and `{name:run|runs}` by the word that fits so many. */
export function t(name, values = {}) {
  return messages[name].replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, key, one, more) => (one === undefined ? values[key] : String(values[key]) === "1" ? one : more));
}

/** A word of the contract (`status`, `level` …) for people; one that is not known yet stays as it is. */
export function word(kind, value) {
  return messages[`${kind}.${value}`] ?? value;
}
