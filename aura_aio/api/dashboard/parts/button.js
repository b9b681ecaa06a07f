// Buttons that have an operation of the contract done.

import { Problem } from "../api.js";
import { h, setAttribute } from "../dom.js";
import { refusal } from "../grant.js";
import { explain, notify } from "./notice.js";

/**
 * Does `act()` while `button` is off; shows what goes wrong. Answers what `act` did, or undefined.
 * @template Answer
 * @param {HTMLElement} button
 * @param {() => Promise<Answer>} act
 * @returns {Promise<Answer | undefined>}
 */
export async function attempt(button, act) {
  button.setAttribute("aria-disabled", "true");
  try {
    return await act();
  } catch (error) {
    notify(explain(error), { kind: "bad" });
    if (error instanceof Problem && error.status === 403) button.title = error.message;
    return undefined;
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/**
 * A button for `operation`, which calls `act(button)`. It is off, and says why, when the token does
 * not reach so far; it stays in the order of the Tab key, so that the reason is found.
 * @param {{operation: keyof typeof import("../api.js").OPERATIONS, kind?: string, act?: (button: HTMLElement) => any, label: string, name?: string, submits?: boolean}} options
 */
export function actionButton({ operation, kind, act, label, name, submits = false }) {
  const reason = refusal(operation);
  const press = (event) => {
    if (node.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      if (reason) notify(reason, { kind: "bad" });
    } else if (!submits) act(node);
  };
  const node = h("button", { type: submits ? "submit" : "button", class: kind, title: reason, "aria-label": name, onclick: press }, label);
  if (reason) node.setAttribute("aria-disabled", "true");
  setAttribute(node, "data-refused", reason !== undefined);
  return node;
}
