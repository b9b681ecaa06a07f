// The request of a form as a command or a program, to be copied.

import { token } from "../token.js";

/** In the order in which they are offered. */
export const LANGUAGES = [["curl", "curl"], ["python", "Python"], ["typescript", "TypeScript"]];

const MAKE = { curl, python, typescript };

/**
 * A program that sends `body` to runTask of this server.
 * @param {"curl" | "python" | "typescript"} language
 */
export function snippet(language, body) {
  return MAKE[language](`${location.origin}/api/tasks/run`, body, token() !== undefined);
}

/** For a POSIX shell: only a quote ends a quoted text. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(url, body, guarded) {
  const lines = [`curl ${quoted(url)}`, `-H 'Content-Type: application/json'`];
  if (guarded) lines.push(`-H "Authorization: Bearer $AURA_TOKEN"`);
  return [...lines, `-d ${quoted(JSON.stringify(body))}`].join(" \\\n  ");
}

function python(url, body, guarded) {
  const headers = guarded ? `{"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["AURA_TOKEN"]}` : `{"Content-Type": "application/json"}`;
  return `import json
${guarded ? "import os\n" : ""}import urllib.request

body = ${pythonValue(body)}
request = urllib.request.Request(
    ${JSON.stringify(url)},
    json.dumps(body).encode(),
    ${headers},
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)["cid"])`;
}

function typescript(url, body, guarded) {
  const headers = guarded ? `{ "Content-Type": "application/json", Authorization: \`Bearer \${process.env.AURA_TOKEN}\` }` : `{ "Content-Type": "application/json" }`;
  return `const response = await fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: ${headers},
  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")}),
});
const answer = await response.json();
if (!response.ok) throw new Error(answer.detail);
console.log(answer.cid);`;
}

function pythonValue(value, indent = "") {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const inner = Array.isArray(value)
    ? value.map((each) => `${deeper}${pythonValue(each, deeper)},\n`)
    : Object.entries(value).map(([key, each]) => `${deeper}${JSON.stringify(key)}: ${pythonValue(each, deeper)},\n`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return inner.length ? `${open}\n${inner.join("")}${indent}${close}` : open + close;
}
