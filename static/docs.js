// Starts Swagger UI. A token entered there is lost when the page closes.
"use strict";

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  // docs.css sets the colours.
  syntaxHighlight: false,
  // Without this, Swagger UI loads a badge from another site.
  validatorUrl: null,
});

// Accessibility fixes: elements of Swagger UI that lack a name, a correct heading level or keyboard access.
const FIXES = [
  ["h3.opblock-tag, .modal-ux-header h3, section.models > h4", { "aria-level": "2" }],
  [".opblock h4, .opblock h5, .auth-container h4", { "aria-level": "3" }],
  ["#auth-bearer-value", { "aria-label": "idToken" }],
  [".auth-btn-wrapper .authorize", { "aria-label": "Authorize" }],
  [".auth-btn-wrapper .btn:not(.authorize, .btn-done)", { "aria-label": "Logout" }],
  [".close-modal", { "aria-label": "Close" }],
  [".copy-to-clipboard button", { "aria-label": "Copy" }],
  [".body-param__text", { "aria-label": "Request body" }],
  ["#servers", { "aria-label": "Server" }],
  ["pre", { tabindex: "0" }],
];

function fix() {
  for (const [selector, attributes] of FIXES) {
    for (const element of document.querySelectorAll(`#swagger-ui :is(${selector})`)) {
      for (const [name, value] of Object.entries(attributes)) {
        if (element.getAttribute(name) !== value) element.setAttribute(name, value);
      }
    }
  }
  for (const row of document.querySelectorAll("#swagger-ui tr[data-param-name]")) {
    for (const field of row.querySelectorAll("select:not([aria-label])")) field.setAttribute("aria-label", row.dataset.paramName);
  }
}

const changes = { childList: true, subtree: true, attributeFilter: ["aria-label", "class"] };
new MutationObserver(fix).observe(document.getElementById("swagger-ui"), changes);
