// The fields of a form, made from a JSON Schema of an object.

import { t } from "../i18n.js";
import { groupField } from "./group.js";
import { boolField, choiceField, jsonField, linesField, numberField, textField, timeField } from "./kinds.js";

const SCALARS = new Set(["string", "number", "integer"]);

/**
 * A field for each property of `schema`, in its order. `given` are values to begin with in place of
 * the defaults; `base` is the pointer to the object in the request.
 */
export function fieldsOf(schema, given = {}, base = "/inputs") {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const secret = property.writeOnly ?? false;
    return kindOf(property, secret)({
      name,
      pointer: `${base}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
      label: property.title ?? name,
      help: [property.description, secret && t("form.secret"), boundsOf(property)].filter(Boolean).join(" "),
      required: (schema.required ?? []).includes(name),
      schema: property,
      // What was secret came back masked: it has to be typed again.
      initial: secret ? undefined : (given[name] ?? property.default),
      fallback: secret ? undefined : property.default,
      secret,
      fieldsOf,
      valuesOf,
    });
  });
}

/** The values of fields by their names, those that are left out are not in it; as they are `shown`, without what is secret. */
export function valuesOf(fields, how = "value") {
  const values = {};
  for (const field of fields) {
    const value = field[how]();
    if (value !== undefined) values[field.name] = value;
  }
  return values;
}

/** What makes the field of a property. @returns {(given: any) => any} */
function kindOf({ type, enum: words, format, items, properties }, secret) {
  if (words) return choiceField;
  if (type === "boolean") return boolField;
  if (type === "number" || type === "integer") return numberField;
  if (type === "string") return format === "date-time" && !secret ? timeField : textField;
  if (type === "array" && SCALARS.has(items?.type) && !items.enum) return linesField;
  if (type === "object" && properties && !secret) return groupField;
  return jsonField;
}

function boundsOf({ minimum, maximum, minLength, maxLength, minItems, maxItems }) {
  const letters = minLength === undefined ? undefined : rangeOf(minLength, maxLength); // few reach an upper end alone
  const items = rangeOf(minItems, maxItems);
  return rangeOf(minimum, maximum) ?? (letters && t("form.letters", { range: letters })) ?? (items && t("form.items", { range: items }));
}

function rangeOf(least, most) {
  if (least === undefined && most === undefined) return undefined;
  if (least === undefined) return `≤ ${most}`;
  return most === undefined ? `≥ ${least}` : `${least} – ${most}`;
}
