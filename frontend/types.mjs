// Writes the API's types to src/api-types.ts, from the OpenAPI document that Gatepost prints.
//
//   npm run types               writes the file
//   npm run types -- --check    fails if it is not up to date
//
// GATEPOST_BIN   the program; `cargo run` by default
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'

const file = fileURLToPath(new URL('src/api-types.ts', import.meta.url))
const program = process.env.GATEPOST_BIN ? [process.env.GATEPOST_BIN] : ['cargo', 'run', '--quiet', '--']

const [command, ...words] = [...program, 'openapi']
const printed = spawnSync(command, words, { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' })
if (printed.status !== 0) {
  console.error(printed.error?.message ?? printed.stderr)
  process.exit(1)
}
const types = astToString(await openapiTS(printed.stdout))
const content = `// Made from the API's OpenAPI document by \`npm run types\`.\n\n${types}`

if (!process.argv.includes('--check')) {
  writeFileSync(file, content)
} else if (readFileSync(file, 'utf8') !== content) {
  console.error('src/api-types.ts is out of date. Run: npm run types')
  process.exit(1)
}
