// A question with a few answers, over the page.

import { freshId, h } from "./dom.js";
import { t } from "./i18n.js";

/**
 * Asks; `choices` are `{value, label, kind}` with the kind `primary`, `danger` or none. Answers the
 * value of the one chosen, or undefined when the question was left.
 */
export function choose({ title, text, choices }) {
  const heading = freshId("dialog");
  return new Promise((resolve) => {
    let answer;
    const close = (value) => () => {
      answer = value;
      dialog.close();
    };
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
      h("p", {}, text),
      h(
        "div",
        { class: "choices" },
        ...choices.map((each) => h("button", { type: "button", class: each.kind, onclick: close(each.value) }, each.label)),
        h("button", { type: "button", onclick: close(undefined) }, t("dialog.leave")),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
