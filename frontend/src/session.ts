// The session with Cognito. Amplify keeps it in the browser and refreshes it; this module returns its ID token.
import { Amplify } from 'aws-amplify'
import { fetchAuthSession, signIn, signUp, type SignInInput, type SignUpInput } from 'aws-amplify/auth'
import { Hub } from 'aws-amplify/utils'
import type { Settings } from './settings'

/** There is no session, or it could not be refreshed. The user must sign in again. */
export class SessionEnded extends Error {
  constructor() {
    super('Your session has ended. Please sign in again.')
  }
}

export function connectUserPool({ userPoolId, userPoolClientId, cognitoEndpoint }: Settings): void {
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId,
        userPoolClientId,
        loginWith: { username: true },
        ...(cognitoEndpoint && { userPoolEndpoint: cognitoEndpoint }),
      },
    },
  })
}

/**
 * The ID token for the API. Amplify refreshes it when it has expired by this machine's clock. `forceRefresh` refreshes
 * it at once, because the API's clock may differ.
 */
export async function idToken(forceRefresh: boolean): Promise<string> {
  let session
  try {
    session = await fetchAuthSession({ forceRefresh })
  } catch (cause) {
    throw new Error('Your session could not be refreshed, because Cognito could not be reached.', { cause })
  }
  const token = session.tokens?.idToken?.toString()
  if (!token) throw new SessionEnded()
  return token
}

/** Calls `onChange` with `true` when a session could not be refreshed, and with `false` when there is one again. */
export function watchSession(onChange: (ended: boolean) => void): () => void {
  return Hub.listen('auth', ({ payload }) => {
    if (payload.event === 'signedIn') onChange(false)
    // Without a network, the session may still be valid.
    if (payload.event === 'tokenRefresh_failure' && payload.data?.error?.name !== 'NetworkError') onChange(true)
  })
}

/** Starts anew when the user signs out in another tab. */
export function followOtherTabs(): () => void {
  // Amplify keeps the tokens in the storage that all tabs share.
  const listener = ({ key, newValue }: StorageEvent) => {
    if (key?.endsWith('.idToken') && newValue === null) location.reload()
  }
  window.addEventListener('storage', listener)
  return () => window.removeEventListener('storage', listener)
}

/** The emulators do not support SRP, so they get the password itself. AWS never gets it. */
const PASSWORD_FLOW = { authFlowType: 'USER_PASSWORD_AUTH' } as const

/**
 * How the Authenticator signs in with an emulator. For AWS, Amplify's own way is used. The types allow a context before the
 * input, which is for servers; the Authenticator never passes one.
 */
export function authenticatorServices({ cognitoEndpoint }: Settings) {
  if (!cognitoEndpoint) return {}
  return {
    handleSignIn: ((input: SignInInput) =>
      signIn({ ...input, options: { ...input.options, ...PASSWORD_FLOW } })) as typeof signIn,
    handleSignUp: ((input: SignUpInput) =>
      signUp({ ...input, options: { userAttributes: {}, ...input.options, autoSignIn: PASSWORD_FLOW } })) as typeof signUp,
  }
}
