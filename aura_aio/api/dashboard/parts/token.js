// The question for a token, over the page, and what the head of the page has to do with it.

import { freshId, h, setAttribute, setText } from "../dom.js";
import { t } from "../i18n.js";
import { askAgain, askWith, forgetToken, onToken, token } from "../token.js";
import { showDialog } from "./dialog.js";

/** Asks for a token, as the one before was refused (`why`), or there was none; answers it, or undefined when the question was left. */
function ask(why) {
  const [about, id] = [freshId("about"), freshId("token")];
  const field = h("input", { id, type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": about });
  const body = [
    h("p", { id: about }, why ?? t("token.why")),
    h("div", { class: "field" }, h("label", { for: id }, t("token.label")), field, h("p", { class: "help" }, t("token.kept"))),
  ];
  return showDialog({
    title: t("token.title"),
    body: h("div", {}, body),
    choices: [{ label: t("token.use"), kind: "primary", submits: true }],
    leave: t("token.leave"),
    submit: () => field.value.trim() || undefined,
  });
}

/**
 * The button in the head of the page: it asks again for a token that was not given (`needed(true)`),
 * or forgets the one that is there. `again()` is called when it may be asked again.
 */
export function tokenButton(again) {
  askWith(ask);
  let needed = false;
  const node = h("button", { type: "button", class: "quiet", onclick: act });

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
