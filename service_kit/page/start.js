"use strict";

// The page shows /openapi.json. "Execute" sends what stands in the fields, and they are filled with
// the document's examples. So some examples are changed on the way:
// - a key names one request, an e-mail one customer, a SKU one product: each visit gets fresh ones;
// - a value that may be left out (a cursor, the tag of a version) would make the first call fail:
//   its example goes into the description;
// - what is deleted is for the visitor to name.

const KEY_HEADER = "X-Idempotency-Key";

function randomHex(bytes) {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (value) => value.toString(16).padStart(2, "0")).join("");
}

function freshKey() {
  // A UUID of version 4. crypto.randomUUID is missing where there is neither TLS nor localhost.
  const variant = "89ab"[crypto.getRandomValues(new Uint8Array(1))[0] % 4];
  return randomHex(16).replace(
    /^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, `$1-$2-4$3-${variant}$4-$5`,
  );
}

const FRESH = {
  idempotency_key: freshKey,
  correlation_id: () => `page-${randomHex(4)}`,
};
const FRESH_WHERE_CREATED = {
  ...FRESH,
  email: (email) => email.replace("@", `-${randomHex(4)}@`),
  sku: (sku) => `${sku}-${randomHex(4).toUpperCase()}`,
};

function exampleOf({ example, examples, schema }) {
  return example ?? Object.values(examples ?? {})[0]?.value ?? schema?.examples?.[0];
}

function withoutExample({ example, examples, schema, ...parameter }) {
  const { examples: _, ...bounds } = schema ?? {};
  return { ...parameter, schema: bounds };
}

function offeredParameter(parameter, method) {
  if (parameter.name === KEY_HEADER) return { ...withoutExample(parameter), example: freshKey() };
  const example = exampleOf(parameter);
  if (example === undefined) return parameter;
  // Swagger UI fills a field in with the parameter's own example, not with its schema's.
  if (parameter.required && method !== "delete") return { ...withoutExample(parameter), example };
  const description = `${parameter.description ?? ""} Example: \`${example}\``.trim();
  return { ...withoutExample(parameter), description };
}

function offeredValue(value, fresh) {
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, fresh[name]?.(part) ?? part]),
  );
}

function offeredBody(body, method) {
  const fresh = method === "post" ? FRESH_WHERE_CREATED : FRESH;
  const offeredExample = ({ value, ...rest }) => ({ ...rest, value: offeredValue(value, fresh) });
  return { ...body, content: mapped(body.content, ({ examples, ...content }) => ({
    ...content, examples: mapped(examples ?? {}, offeredExample),
  })) };
}

function mapped(members, change) {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, change(member, name)]),
  );
}

// A visitor is an operator. The services' token is asked for only where nothing else is taken: with
// both at hand, Swagger UI would send that one.
function offeredSecurity(security) {
  const operators = security.filter((scheme) => "operator" in scheme);
  return operators.length > 0 ? operators : security;
}

function prepared(document) {
  const shared = document.components?.parameters ?? {};
  // In place of a reference, so that operations which share a parameter do not share an example.
  const named = (parameter) => shared[parameter.$ref?.split("/").pop()] ?? parameter;
  const asked = new Set();

  function offeredOperation(operation, method) {
    const { parameters, requestBody } = operation;
    const security = offeredSecurity(operation.security ?? []);
    security.flatMap(Object.keys).forEach((scheme) => asked.add(scheme));
    return {
      ...operation,
      security,
      ...(parameters && {
        parameters: parameters.map((given) => offeredParameter(named(given), method)),
      }),
      ...(requestBody && { requestBody: offeredBody(requestBody, method) }),
    };
  }

  const paths = mapped(document.paths ?? {}, (item) => mapped(item, offeredOperation));
  const schemes = Object.entries(document.components?.securitySchemes ?? {});
  const securitySchemes = Object.fromEntries(schemes.filter(([name]) => asked.has(name)));
  return { ...document, paths, components: { ...document.components, securitySchemes } };
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

// Whoever copies a whole header line means the token in it.
function withoutScheme(given) {
  if (typeof given?.value !== "string") return given;
  return { ...given, value: given.value.replace(/^\s*(Authorization:\s*)?Bearer\s+/i, "").trim() };
}

const authorisation = {
  statePlugins: {
    auth: {
      wrapActions: {
        // The dialog would put the cursor into its last field, the services' token.
        showDefinitions: (show) => (definitions) => {
          const action = show(definitions);
          requestAnimationFrame(() => document.querySelector(".auth-container input")?.focus());
          return action;
        },
        authorize: (authorize) => (given) => authorize(mapped(given, withoutScheme)),
      },
    },
  },
  wrapComponents: {
    // Else all fields have one name and one id.
    HttpAuth: (Field, { React }) => (given) => {
      const id = `token-${given.name}`;
      const distinguish = (part) => {
        part?.querySelector("label")?.setAttribute("for", id);
        const input = part?.querySelector("input");
        input?.setAttribute("id", id);
        input?.setAttribute("aria-label", `Token, as ${given.name}`);
      };
      return React.createElement("div", { ref: distinguish }, React.createElement(Field, given));
    },
  },
};

// An operation has up to 16 answers, most of them refusals: what they look like is folded.
const foldedRefusals = {
  wrapComponents: {
    response: (Response, { React, getComponent }) => (given) => {
      const [isOpen, setOpen] = React.useState(given.code < "400");
      if (isOpen) return React.createElement(Response, given);
      return React.createElement(
        "tr",
        { className: "response", "data-code": given.code },
        React.createElement("td", { className: "response-col_status" }, given.code),
        React.createElement(
          "td",
          { className: "response-col_description" },
          React.createElement(
            getComponent("Markdown", true), { source: given.response.get("description") },
          ),
          React.createElement(
            "button",
            { className: "unfold", type: "button", onClick: () => setOpen(true) },
            "Example and headers",
          ),
        ),
      );
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
  plugins: [preparation, authorisation, foldedRefusals, foldedGuide],
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
