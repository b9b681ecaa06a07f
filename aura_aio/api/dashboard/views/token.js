// The question for a token, over the page, and what the head of the page has to do with it.

import { freshId, h, setAttribute, setText } from "../dom.js";
import { t } from "../i18n.js";
import { askAgain, askWith, forgetToken, onToken, token } from "../token.js";

/** Asks for a token; answers it, or undefined when the question was left. */
function ask(why) {
  const heading = freshId("dialog");
  const [about, id] = [freshId("about"), freshId("token")];
  return new Promise((resolve) => {
    let answer;
    const field = h("input", { id, type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": about });
    const use = (event) => {
      event.preventDefault();
      answer = field.value.trim() || undefined;
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
      h("h2", { id: heading }, t("token.title")),
      h("p", { id: about }, why),
      h(
        "form",
        { onsubmit: use },
        h("div", { class: "field" }, h("label", { for: id }, t("token.label")), field, h("p", { class: "muted" }, t("token.kept"))),
        h("div", { class: "choices" }, h("button", { class: "primary" }, t("token.use")), h("button", { type: "button", onclick: () => dialog.close() }, t("token.leave"))),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * The button in the head of the page: it asks again for a token that was not given (`needed(true)`),
 * or forgets the one that is there. `again()` is called when it may be asked again.
 */
export function tokenButton(again) {
  askWith(ask);
  let needed = false;
  const node = h("button", { type: "button", onclick: act });

  function act() {
    if (needed) {
      askAgain();
      again();
      return;
    }
    forgetToken();
    location.reload();
  }

  function show() {
    setText(node, needed ? t("token.give") : t("token.forget"));
    setAttribute(node, "hidden", !needed && token() === undefined);
  }

  onToken(show);
  show();
  return {
    node,
    needed(is) {
      needed = is;
      show();
    },
  };
}
