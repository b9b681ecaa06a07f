// What the token of the page may do, so that a button says so before it is pressed.

import { call, OPERATIONS } from "./api.js";
import { t } from "./i18n.js";

const SCOPES = ["read", "run", "admin"];

let scope = "admin"; // nobody is kept from anything before the server has said so

/** Asks the server what may be done; what it does not answer is tried, and refused by itself. */
export async function learnGrant() {
  try {
    ({ scope } = await call("getGrant"));
  } catch {
    scope = "admin";
  }
}

/**
 * Why an operation may not be done, in a sentence, or undefined when it may.
 * @param {keyof typeof OPERATIONS} operation
 */
export function refusal(operation) {
  const needed = OPERATIONS[operation][2];
  if (SCOPES.indexOf(needed) <= SCOPES.indexOf(scope) || !SCOPES.includes(scope)) return undefined;
  return t("grant.lacks", { needed, given: scope });
}
