// Starts everything to try it out; see scripts/demo.
import { readFileSync } from 'node:fs'
import { CODE, Problem, fixedPorts, missingTools, newFolder, newStack, prepare, remove, shown, start } from './stack.mjs'

const stack = newStack()
let folder
let signals = 0
const asked = new Promise((resolve) => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      signals += 1
      if (signals > 1) stack.kill()
      resolve(name)
    })
  }
})

const end = await Promise.race([asked, show().catch((error) => error)])
const isAsked = typeof end === 'string'
console.log(isAsked ? `\nStopping (${end}) ...` : `\n${end instanceof Problem ? end.message : end.stack}\n`)
await stack.stop()
if (!folder) console.log('Nothing was started.')
else if (!isAsked) console.log(`Everything is stopped. The logs are in ${shown(folder)}.`)
else {
  remove(folder)
  console.log('Everything is stopped. The users, articles and logs of this demo are deleted.')
}
process.exit(isAsked ? 0 : 1)

/** Runs until one of the services ends. Returns the problem. */
async function show() {
  const missing = missingTools()
  if (missing.length > 0) throw new Problem(`Missing: ${missing.join('; ')}.`)
  const ports = await fixedPorts()
  await prepare()
  folder = newFolder('run')
  console.log('Starting ...')
  await start({ folder, ports, createUsers: false, stack, say: (line) => console.log(`  ${line}`) })
  const greeting = readFileSync(stack.services.api.log, 'utf8')
  const superuser = greeting.match(/^\s*superuser\s+(.*)$/m)?.[1]
  console.log(`
Open ${stack.page} and create an account. The sign-up code is always ${CODE}; no e-mail is sent.

When you confirm it, the pool calls the Lambda function, and the function tells Gatepost. So the user exists before the
first token. Look for post-confirmation in ${shown(stack.services.api.log)}.

  API        ${stack.api}/articles/
  admin      ${stack.api}/admin/${superuser ? `, superuser ${superuser}` : ''}
  database   ${shown(stack.database)}
  logs       ${Object.values(stack.services).map((service) => shown(service.log)).join('\n             ')}

Ctrl+C stops everything and deletes its data.`)
  return stack.died
}
