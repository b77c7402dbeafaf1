"use strict";

// The page shows /openapi.json. "Execute" sends what stands in the fields, and they are filled with
// the document's examples. So two kinds of examples are changed on the way:
// - a key names one request: each visit gets fresh ones;
// - a value that may be left out (a cursor, the tag of a version) would make the first call fail:
//   its example goes into the description.

const KEY_HEADER = "X-Idempotency-Key";
const KEY_FIELD = "idempotency_key";

function freshKey() {
  // A UUID of version 4. crypto.randomUUID is missing where there is neither TLS nor localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function exampleOf({ example, examples, schema }) {
  return example ?? Object.values(examples ?? {})[0]?.value ?? schema?.examples?.[0];
}

function withoutExample({ example, examples, schema, ...parameter }) {
  const { examples: _, ...bounds } = schema ?? {};
  return { ...parameter, schema: bounds };
}

function offered(parameter) {
  if (parameter.name === KEY_HEADER) return { ...withoutExample(parameter), example: freshKey() };
  const example = exampleOf(parameter);
  if (parameter.required || example === undefined) return parameter;
  const description = `${parameter.description ?? ""} Example: \`${example}\``.trim();
  return { ...withoutExample(parameter), description };
}

function prepared(part, name) {
  if (name === "parameters" && Array.isArray(part)) return part.map(offered);
  if (name === KEY_FIELD) {
    return typeof part === "string" ? freshKey() : { ...part, examples: [freshKey()] };
  }
  if (Array.isArray(part)) return part.map((item) => prepared(item));
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, prepared(value, key)]));
}

const preparation = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) => update(prepared(document)),
      },
    },
  },
};

// The dialog would put the cursor into its last field, the services' token.
const operatorFirst = {
  statePlugins: {
    auth: {
      wrapActions: {
        showDefinitions: (show) => (definitions) => {
          const action = show(definitions);
          requestAnimationFrame(() => document.querySelector(".auth-container input")?.focus());
          return action;
        },
      },
    },
  },
};

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  plugins: [preparation, operatorFirst],
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // The shapes are shown where they are used; the list at the end stays shut.
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 3,
  // A token kept by the browser would outlive the visit, and a service's does not expire.
  persistAuthorization: false,
  // Else the document would be sent to a validator elsewhere.
  validatorUrl: null,
  onComplete: () => {
    document.title = ui.specSelectors.info().get("title") ?? document.title;
  },
});
