// Stands before cognito-local and does what Cognito does and cognito-local does not: `GetTokensFromRefreshToken`, with
// which Amplify refreshes a session; an e-mail is verified when the code that was sent to it is entered; and a wrong
// password is not told from an unknown user. Everything else passes through unchanged.
import { createServer } from 'node:http'

const SERVICE = 'AWSCognitoIdentityProviderService.'
/** Headers of one connection, and of a body that fetch has read. */
const OWN = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-encoding', 'content-length', 'host'])

/** Listens at a port of localhost. `upstream`: the URL of cognito-local. `code`: the code that it accepts. */
export function completeEmulator({ port, upstream, code }) {
  const server = createServer((request, response) => {
    answer(request, { upstream, code }).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      (error) => response.writeHead(502, { 'Content-Type': 'text/plain' }).end(`cognito-local: ${error.message}\n`),
    )
  })
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(port, 'localhost', () => done(server))
  })
}

async function answer(request, { upstream, code }) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const headers = pass(Object.entries(request.headers))
  const action = headers['x-amz-target']?.replace(SERVICE, '')
  if (action === 'GetTokensFromRefreshToken') return forward(request, upstream, ...asInitiateAuth(headers, body))
  if (action === 'InitiateAuth') return asOneRefusal(await forward(request, upstream, headers, body))
  if (action === 'ConfirmSignUp') await verifyEmail(upstream, code, JSON.parse(body))
  return forward(request, upstream, headers, body)
}

async function forward({ method, url }, upstream, headers, body) {
  const response = await fetch(upstream + url, { method, headers, ...(body.length > 0 && { body }) })
  const content = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: pass(response.headers), body: content }
}

/** Both calls answer with an `AuthenticationResult`. */
function asInitiateAuth(headers, body) {
  const { ClientId, RefreshToken } = JSON.parse(body)
  const input = { AuthFlow: 'REFRESH_TOKEN_AUTH', ClientId, AuthParameters: { REFRESH_TOKEN: RefreshToken } }
  return [{ ...headers, 'x-amz-target': `${SERVICE}InitiateAuth` }, Buffer.from(JSON.stringify(input))]
}

function asOneRefusal(answer) {
  if (answer.status !== 400) return answer
  const refusal = JSON.parse(answer.body)
  if (!/User not authorized|Invalid password|User does not exist/.test(refusal.message)) return answer
  refusal.message = 'Incorrect username or password.'
  return { ...answer, body: Buffer.from(JSON.stringify(refusal)) }
}

/** Before the sign-up is confirmed, since the trigger is told of it. cognito-local answers to a wrong code itself. */
async function verifyEmail(upstream, code, { Username, ConfirmationCode }) {
  if (ConfirmationCode !== code) return
  const { UserPools } = await call(upstream, 'ListUserPools', { MaxResults: 1 })
  const user = { UserPoolId: UserPools[0].Id, Username }
  const email = (await call(upstream, 'AdminGetUser', user)).UserAttributes.find(({ Name }) => Name === 'email')
  // cognito-local does not verify an address that is not part of the same call.
  const UserAttributes = [email, { Name: 'email_verified', Value: 'true' }]
  if (email) await call(upstream, 'AdminUpdateUserAttributes', { ...user, UserAttributes })
}

/** Calls an action of a pool in an emulator. */
export function request(url, action, input) {
  const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': SERVICE + action }
  // The emulators need a signature, but do not check it.
  headers.Authorization = 'AWS4-HMAC-SHA256 Credential=emulator/20260101/us-east-1/cognito-idp/aws4_request'
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })
}

/** The same; returns what a good answer has. */
export async function call(url, action, input) {
  const response = await request(url, action, input)
  if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`)
  return response.json()
}

function pass(headers) {
  return Object.fromEntries(Array.from(headers).filter(([name]) => !OWN.has(name.toLowerCase())))
}
