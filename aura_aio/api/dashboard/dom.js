// Elements, made and kept up to date. Text always becomes text nodes: nothing is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** A new element. `on…` are listeners; absent, null and false properties are left out. */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same in a drawing. */
export function s(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** Sets the text of an element, but only when it changes: a selection in it stays. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The same for a name, which may be broken after what joins its words. */
export function setName(element, name) {
  if (element.textContent !== name) element.replaceChildren(...name.split(/(?<=[/_.:-])/).flatMap((part, at) => (at ? [h("wbr"), part] : [part])));
}

/** Sets an attribute, or removes it when the value is null, undefined or false. */
export function setAttribute(element, name, value) {
  if (value === undefined || value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

/**
 * Keeps the children of `parent` in step with a list: call what it returns with the items.
 * `make(item)` answers `{node, update(item)}`; rows of the same `keyOf(item)` are kept as they are,
 * so that focus and selection survive.
 */
export function rowsOf(parent, keyOf, make) {
  const rows = new Map();
  return (items) => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, row] of rows) {
      if (wanted.has(key)) continue;
      row.node.remove();
      rows.delete(key);
    }
    let place = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let row = rows.get(key);
      if (!row) {
        row = make(item);
        rows.set(key, row);
      }
      row.update(item);
      if (row.node === place) place = place.nextElementSibling;
      else parent.insertBefore(row.node, place);
    }
  };
}

let lastId = 0;

/** An id that no other element of the page has, for labels and descriptions. */
export function freshId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
