// Questions and answers over the page.

import { freshId, h } from "../dom.js";
import { t } from "../i18n.js";

/**
 * Shows `body` in a dialog with `choices` (`{value, label, kind}`, the kind `primary`, `danger` or
 * none) below it, and the button `leave`. Answers the value of the one chosen, or undefined when the
 * dialog was left; `submit()` answers the value when a form in it is sent.
 * @param {{title: string, body: Node | Node[], choices?: {value?: any, label: string, kind?: string, submits?: boolean}[], leave: string, submit?: () => any}} options
 * @returns {Promise<any>}
 */
export function showDialog({ title, body, choices = [], leave, submit }) {
  const heading = freshId("dialog");
  return new Promise((resolve) => {
    let answer;
    const close = (value) => () => {
      answer = value;
      dialog.close();
    };
    const buttons = h(
      "div",
      { class: "choices" },
      ...choices.map((each) => h("button", { type: each.submits ? "submit" : "button", class: each.kind, onclick: each.submits ? undefined : close(each.value) }, each.label)),
      h("button", { type: "button", onclick: close(undefined) }, leave),
    );
    const send = (event) => {
      event.preventDefault();
      close(submit())();
    };
    const inner = submit ? h("form", { novalidate: true, onsubmit: send }, body, buttons) : [body, buttons];
    const dialog = h(
      "dialog",
      {
        "aria-labelledby": heading,
        onclose: () => {
          dialog.remove();
          resolve(answer);
        },
      },
      h("h2", { id: heading }, title),
      ...[inner].flat(),
    );
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input")?.select(); // what stands there is typed over
  });
}

/** Asks; answers the value of the choice, or undefined when the question was left. */
export function choose({ title, text, choices }) {
  return showDialog({ title, body: h("p", {}, text), choices, leave: t("dialog.leave") });
}
