// The API reference: Swagger UI over the contract. It knows nothing newer than OpenAPI 3.0.

import { mend } from "./mend.js";

/** Says the examples of optional parameters in words: Swagger UI would send them when somebody tries the operation out. */
function withoutForms(contract) {
  const operations = Object.values(contract.paths).flatMap((path) => [path, ...Object.values(path)]);
  const lists = operations.map(({ parameters }) => parameters).filter(Array.isArray);
  for (const parameter of [...lists.flat(), ...Object.values(contract.components.parameters ?? {})]) {
    if (parameter.required || parameter.example === undefined) continue;
    parameter.description = `${parameter.description ?? ""}\n\nFor example \`${parameter.example}\`.`.trim();
    delete parameter.example;
  }
  return contract;
}

const reference = document.getElementById("reference");
mend(reference);
const answer = await fetch("/openapi-3.0.json");
globalThis.SwaggerUIBundle({
  spec: withoutForms(await answer.json()),
  domNode: reference,
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  syntaxHighlight: { activated: false }, // its colours are for one theme
  // Without this it would send the document's address to a validator on the web.
  validatorUrl: null,
});
