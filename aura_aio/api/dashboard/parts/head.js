// The head of a page: where one is, its name, and what can be done there.

import { h } from "../dom.js";

/**
 * @param {{crumbs?: [string, string][], title: string | Node, beside?: Node[], tools?: (Node | false)[], about?: string}} parts
 * `crumbs` are `[text, address]`; `beside` stands beside the title, `tools` at the end of the line.
 */
export function pageHead({ crumbs = [], title, beside = [], tools = [], about }) {
  const path = crumbs.map(([text, address]) => h("li", {}, h("a", { href: address }, text)));
  return h(
    "div",
    { class: "page-head" },
    h("div", { class: "page-title" }, path.length > 0 && h("ol", { class: "crumbs" }, path), h("h1", { tabindex: "-1" }, title), beside),
    h("div", { class: "tools" }, tools),
    about && h("p", { class: "about muted" }, about),
  );
}

/** A part of a page with a heading of its own: `{node, body}`. */
export function card({ title, beside = [], tools = [], kind = "" }, ...children) {
  const heading = h("h2", {}, title);
  heading.id = `card-${(lastCard += 1)}`;
  return h("section", { class: `card ${kind}`, "aria-labelledby": heading.id }, h("div", { class: "card-head" }, heading, beside, h("div", { class: "tools" }, tools)), children);
}

let lastCard = 0;
