// What Swagger UI leaves out for who does not see the page or has no mouse: names, roles, keys.
// It draws with React, which leaves attributes alone that it did not set: nodes are named here, never moved.

const without = (name) => (element) => element.removeAttribute(name);
const set = (name, value) => (element) => element.setAttribute(name, value);
const named = (nameOf) => (element) => {
  if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", nameOf(element));
};
const textOf = (element, selector) => element.querySelector(selector)?.textContent.trim() ?? "";

/** What is wanted of what it draws, by selectors. @type {[string, (element: HTMLElement) => void][]} */
const WANTED = [
  [".opblock-summary-control", without("aria-label")], // it named the path alone, and that with spaces of no width
  [".opblock-summary a", without("href")], // a link in a button is neither
  [".servers select", named(() => "Server")],
  [".operation-filter-input", named(() => "Filter by tag")],
  [".parameters :is(input, select, textarea)", named((each) => each.closest("tr")?.dataset.paramName ?? "Value")],
  [".json-schema-form-item-remove", named(() => "Remove")],
  [".body-param__text", named(() => "Request body")],
  [".examples-select-element", named(() => "Example")],
  [".curl", named(() => "Command")],
  [".copy-to-clipboard button", named(() => "Copy")],
  [".download-contents, .tab-item", asButton],
  ["pre, .table-container", set("tabindex", "0")], // they may be scrolled
  [".responses-table", without("role")], // a table is none any more as a region
  ["thead td", set("role", "columnheader")],
  [".modal-ux", asDialog],
  [".close-modal", named(() => "Close")],
  [".auth-container input", set("autocomplete", "off")],
  [".auth-container", (each) => each.querySelectorAll("input").forEach(set("aria-label", textOf(each, "h4 code")))],
];

/** Keeps what is drawn below `root` usable by everyone. @param {HTMLElement} root */
export function mend(root) {
  let before; // what had the focus last, outside of the dialog
  let isOpen = false;
  root.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement && !target.closest(".modal-ux")) before = target;
  });
  const look = () => {
    for (const [selector, want] of WANTED) root.querySelectorAll(selector).forEach(want);
    const was = isOpen;
    isOpen = root.querySelector(".modal-ux") !== null;
    if (isOpen && !was) /** @type {HTMLElement | null} */ (root.querySelector(".modal-ux input"))?.focus();
    if (was && !isOpen) before?.focus();
  };
  new MutationObserver(look).observe(root, { childList: true, subtree: true });
}

function asButton(element) {
  if (element.getAttribute("role") === "button") return;
  element.setAttribute("role", "button");
  element.setAttribute("tabindex", "0");
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    element.click();
  });
}

function asDialog(element) {
  if (element.getAttribute("role") === "dialog") return;
  element.setAttribute("role", "dialog");
  element.setAttribute("aria-modal", "true");
  element.setAttribute("aria-label", textOf(element, "h3"));
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") element.querySelector(".close-modal").click();
    else if (event.key === "Tab") stay(event, [...element.querySelectorAll("button, input, a[href]")]);
  });
}

/** Lets the focus go round within `parts`. */
function stay(event, parts) {
  const [edge, other] = event.shiftKey ? [parts[0], parts.at(-1)] : [parts.at(-1), parts[0]];
  if (document.activeElement !== edge) return;
  event.preventDefault();
  other.focus();
}
