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

function prepared(document) {
  const shared = document.components?.parameters ?? {};
  // In place of a reference, so that operations which share a parameter do not share a key.
  const named = (parameter) => shared[parameter.$ref?.split("/").pop()] ?? parameter;

  function copy(part, name) {
    if (Array.isArray(part)) {
      return part.map((item) => (name === "parameters" ? offered(named(item)) : copy(item)));
    }
    if (name === KEY_FIELD) {
      return typeof part === "string" ? freshKey() : { ...part, examples: [freshKey()] };
    }
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, copy(value, key)]));
  }

  return copy(document);
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

// A document begins with a guide under several headings. It is folded into one line, so that the
// calls are in sight at once.
let guide = [];

function withoutGuide(document) {
  const [beginning, ...parts] = (document.info.description ?? "").split(/^#+ /m);
  guide = parts;
  return { ...document, info: { ...document.info, description: beginning } };
}

const foldedGuide = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) => update(withoutGuide(document)),
      },
    },
  },
  wrapComponents: {
    InfoContainer: (Info, { React, getComponent }) => (given) => {
      const headings = guide.map((part) => part.split("\n", 1)[0]).join(" · ");
      const source = guide.map((part) => `## ${part}`).join("");
      return React.createElement(
        React.Fragment,
        null,
        React.createElement(Info, given),
        guide.length > 0 && React.createElement(
          "details",
          { className: "guide" },
          React.createElement("summary", null, headings),
          React.createElement(getComponent("Markdown", true), { source }),
        ),
      );
    },
  },
};

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  plugins: [preparation, operatorFirst, foldedGuide],
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // What is for those who run the system comes after what it is there for.
  tagsSorter: (one, other) => (one === "operations") - (other === "operations"),
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
