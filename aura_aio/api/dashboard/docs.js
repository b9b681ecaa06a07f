// The API reference: Swagger UI over the contract. It knows nothing newer than OpenAPI 3.0.

globalThis.SwaggerUIBundle({
  url: "/openapi-3.0.json",
  dom_id: "#reference",
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  // Without this it would send the document's address to a validator on the web.
  validatorUrl: null,
});
