// The kinds of fields. The server is the judge of the values; here they are only read.

import { freshId, h, setAttribute, setText } from "../dom.js";
import { t } from "../i18n.js";

const LONG_TEXT = 80;

/**
 * What all fields have: label, help, the place of the error. `read()` answers the value (undefined:
 * leave it out), and may throw what is wrong with it; `placeOf(pointer)` says where in it a fault is.
 */
function field({ name, pointer, label, help, required, secret, placeOf = pathOf }, control, read, before = false) {
  const [id, helpId, errorId] = [freshId("field"), freshId("help"), freshId("error")];
  const error = h("div", { class: "error-text", id: errorId });
  const messages = [];
  control.id = id;
  setAttribute(control, "aria-required", required && "true");
  setAttribute(control, "aria-describedby", [help && helpId, errorId].filter(Boolean).join(" "));
  const title = h("label", { for: id }, label, required && h("span", { class: "required", title: t("form.required") }, " *"));
  const node = h(
    "div",
    { class: before ? "field before" : "field", "data-input": name },
    ...(before ? [h("div", { class: "row" }, control, title)] : [title, control]),
    help && h("div", { class: "help", id: helpId }, help),
    error,
  );
  const settle = () => {
    setText(error, messages.join(" "));
    setAttribute(control, "aria-invalid", messages.length > 0 && "true");
    result.wrong = messages.length > 0;
    messages.length = 0;
  };
  const result = {
    name,
    node,
    wrong: false,
    value: read,
    /** The value, for who may look over a shoulder. */
    shown: () => (secret && read() !== undefined ? `<${name}>` : read()),
    focus: () => control.focus(),
    /** What is wrong with the text itself, so that there is no value to send. */
    fault() {
      try {
        read();
        return undefined;
      } catch (problem) {
        return { field: pointer, message: problem.message };
      }
    },
    /** Takes a fault of the server (`{field, message}`) if it is about this field. */
    complain({ field: at, message }) {
      if (at !== pointer && !at.startsWith(`${pointer}/`)) return false;
      const below = at.slice(pointer.length);
      messages.push(below ? `${placeOf(below)}: ${message}` : message);
      return true;
    },
    /** Shows what was complained of since the last time. */
    settle,
  };
  return result;
}

/** A JSON pointer as one would write it: `/rows/2/id` is `rows[2].id`. */
function pathOf(pointer) {
  const words = pointer.slice(1).split("/").map((word) => word.replaceAll("~1", "/").replaceAll("~0", "~"));
  return words.map((word, at) => (/^\d+$/.test(word) ? `[${word}]` : at ? `.${word}` : word)).join("");
}

/** Text that was left as it began, or is empty without a default, is not sent: the default holds. */
function unlessEmpty(text, fallback) {
  return text === "" && fallback === undefined;
}

export function textField(given) {
  const { initial = "", fallback, secret } = given;
  const control = initial.length > LONG_TEXT || initial.includes("\n")
    ? h("textarea", { rows: "5" }, initial)
    : h("input", { type: secret ? "password" : "text", value: initial, autocomplete: secret ? "new-password" : "off", spellcheck: "false" });
  return field(given, control, () => (unlessEmpty(control.value, fallback) ? undefined : control.value));
}

/** What is no number is sent as it is: the server says best what it expects. */
export function numberField(given) {
  const control = h("input", { type: "text", inputmode: "decimal", value: given.initial ?? "", autocomplete: "off" });
  return field(given, control, () => {
    const text = control.value.trim();
    if (text === "") return undefined;
    const value = Number(text);
    return Number.isFinite(value) ? value : text;
  });
}

export function choiceField(given) {
  const { initial, fallback, required, schema } = given;
  const none = fallback === undefined && (initial === undefined || !required);
  const control = h(
    "select",
    {},
    none && h("option", { value: "" }, required ? t("form.choose") : t("form.none")),
    schema.enum.map((each, index) => h("option", { value: String(index), selected: JSON.stringify(each) === JSON.stringify(initial) }, typeof each === "string" ? each : JSON.stringify(each))),
  );
  return field(given, control, () => (control.value === "" ? undefined : schema.enum[Number(control.value)]));
}

export function boolField(given) {
  const { initial, required } = given;
  if (initial === undefined && !required) return choiceField({ ...given, schema: { enum: [true, false] } });
  const control = h("input", { type: "checkbox", checked: initial === true });
  return field(given, control, () => control.checked, true);
}

export function timeField(given) {
  const initial = given.initial === undefined ? "" : localInput(given.initial);
  const control = h("input", { type: "datetime-local", step: "1", value: initial });
  return field(given, control, () => (control.value === "" ? undefined : new Date(control.value).toISOString()));
}

/** A list of scalars, one in a line. */
export function linesField(given) {
  const { initial, fallback, schema } = given;
  const control = h("textarea", { rows: "3", spellcheck: "false", placeholder: t("form.lines") }, (initial ?? []).join("\n"));
  const isText = schema.items.type === "string";
  const linesOf = () => control.value.split("\n").map((text) => text.trim()).filter(Boolean);
  return field({ ...given, placeOf: (below) => `“${linesOf()[Number(below.slice(1))] ?? below}”` }, control, () => {
    const texts = linesOf();
    if (!texts.length && fallback === undefined) return undefined;
    return texts.map((text) => (isText || !Number.isFinite(Number(text)) ? text : Number(text)));
  });
}

/** Labels, as `key=value` in a line. */
export function labelsField(given) {
  const control = h("textarea", { rows: "2", spellcheck: "false", placeholder: "team=research" });
  return field(given, control, () => {
    const lines = control.value.split("\n").map((text) => text.trim()).filter(Boolean);
    if (!lines.length) return undefined;
    return Object.fromEntries(lines.map((text) => {
      const [, key, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
      if (key === undefined) throw new Error(t("form.label", { text }));
      return [key, value];
    }));
  });
}

/** Anything else, as JSON. */
export function jsonField(given) {
  const { initial, schema } = given;
  const sample = schema.type === "array" ? "[ … ]" : "{ … }";
  const control = h("textarea", { rows: "4", class: "code", spellcheck: "false", placeholder: sample }, initial === undefined ? "" : JSON.stringify(initial, null, 2));
  return field(given, control, () => {
    if (control.value.trim() === "") return undefined;
    try {
      return JSON.parse(control.value);
    } catch (error) {
      throw new Error(t("form.json", { reason: error.message }));
    }
  });
}

function localInput(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}
