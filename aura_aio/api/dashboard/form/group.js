// A field that is an object: a frame around the fields of its properties.

import { freshId, h, setText } from "../dom.js";
import { t } from "../i18n.js";

/** As the fields of `kinds.js`; `fieldsOf` makes those within. */
export function groupField({ name, pointer, label, help, required, schema, initial, fieldsOf, valuesOf }) {
  const fields = fieldsOf(schema, initial ?? {}, pointer);
  const errorId = freshId("error");
  const error = h("div", { class: "error-text", id: errorId });
  const messages = [];
  const node = h(
    "fieldset",
    { class: "group", "data-input": name, "aria-describedby": errorId },
    h("legend", {}, label, required && h("span", { class: "required", title: t("form.required") }, " *")),
    help && h("div", { class: "help" }, help),
    fields.map((field) => field.node),
    error,
  );

  /** An object without a value in it is not sent, unless it must be there. */
  function read(how) {
    const values = valuesOf(fields, how);
    return Object.keys(values).length || required ? values : undefined;
  }

  return {
    name,
    node,
    value: () => read("value"),
    shown: () => read("shown"),
    get wrong() {
      return error.textContent !== "" || fields.some((field) => field.wrong);
    },
    focus: () => (fields.find((field) => field.wrong) ?? fields[0])?.focus(),
    fault: () => fields.map((field) => field.fault()).find(Boolean),
    complain(fault) {
      if (fields.some((field) => field.complain(fault))) return true;
      if (fault.field !== pointer && !fault.field.startsWith(`${pointer}/`)) return false;
      messages.push(fault.message);
      return true;
    },
    settle() {
      setText(error, messages.join(" "));
      messages.length = 0;
      for (const field of fields) field.settle();
    },
  };
}
