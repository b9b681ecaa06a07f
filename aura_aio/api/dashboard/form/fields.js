// The fields of a form, made from a JSON Schema of an object.

import { boolField, choiceField, jsonField, linesField, numberField, textField, timeField } from "./kinds.js";

const SCALARS = new Set(["string", "number", "integer"]);

/**
 * A field for each property of `schema`, in its order. `given` are values to begin with in place of
 * the defaults.
 */
export function fieldsOf(schema, given = {}) {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const secret = property.writeOnly ?? false;
    return kindOf(property, secret)({
      name,
      pointer: `/inputs/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
      label: property.title ?? name,
      help: property.description,
      required: (schema.required ?? []).includes(name),
      schema: property,
      // What was secret came back masked: it has to be typed again.
      initial: secret ? undefined : (given[name] ?? property.default),
      fallback: secret ? undefined : property.default,
      secret,
    });
  });
}

function kindOf({ type, enum: words, format, items }, secret) {
  if (words) return choiceField;
  if (type === "boolean") return boolField;
  if (type === "number" || type === "integer") return numberField;
  if (type === "string") return format === "date-time" && !secret ? timeField : textField;
  if (type === "array" && SCALARS.has(items?.type) && !items.enum) return linesField;
  return jsonField;
}
