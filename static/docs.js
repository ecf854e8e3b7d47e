// Starts Swagger UI. A token that is entered there stays in the page: it is gone when the page is.
"use strict";

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  // The colours come from the page's own style sheet.
  syntaxHighlight: false,
  // Otherwise a badge is asked for at another site.
  validatorUrl: null,
});

// What Swagger UI leaves without a name, on a wrong level or out of the keyboard's reach.
const MENDED = [
  ["h3.opblock-tag, .modal-ux-header h3, section.models > h4", { "aria-level": "2" }],
  [".opblock h4, .opblock h5, .auth-container h4", { "aria-level": "3" }],
  ["#auth-bearer-value", { "aria-label": "idToken" }],
  [".auth-btn-wrapper .authorize", { "aria-label": "Authorize" }],
  [".auth-btn-wrapper .btn:not(.authorize, .btn-done)", { "aria-label": "Logout" }],
  [".close-modal", { "aria-label": "Close" }],
  [".copy-to-clipboard button", { "aria-label": "Copy" }],
  [".body-param__text", { "aria-label": "Request body" }],
  ["pre", { tabindex: "0" }],
];

function mend() {
  for (const [selector, attributes] of MENDED) {
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
new MutationObserver(mend).observe(document.getElementById("swagger-ui"), changes);
