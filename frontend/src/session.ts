// The session with Cognito: Amplify keeps it in the browser and refreshes it; this gives out its ID token.
import { Amplify } from 'aws-amplify'
import { fetchAuthSession, signIn, signUp, type SignInInput, type SignUpInput } from 'aws-amplify/auth'
import { Hub } from 'aws-amplify/utils'
import type { Settings } from './settings'

/** There is no session, or it could not be refreshed: the user has to sign in again. */
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
 * The ID token, for the API. Amplify refreshes it by itself once it has expired by this machine's clock;
 * `forceRefresh` does so at once, because the API may know better.
 */
export async function idToken(forceRefresh: boolean): Promise<string> {
  let session
  try {
    session = await fetchAuthSession({ forceRefresh })
  } catch (cause) {
    throw new Error('Cognito could not be reached to refresh your session.', { cause })
  }
  const token = session.tokens?.idToken?.toString()
  if (!token) throw new SessionEnded()
  return token
}

/** Tells when a session could not be refreshed (`true`), and when there is one again (`false`). */
export function watchSession(onChange: (ended: boolean) => void): () => void {
  return Hub.listen('auth', ({ payload }) => {
    if (payload.event === 'signedIn') onChange(false)
    // Without the network, the session may still be good.
    if (payload.event === 'tokenRefresh_failure' && payload.data?.error?.name !== 'NetworkError') onChange(true)
  })
}

/** The emulators do not speak SRP, so they get the password itself; to AWS, it is never sent. */
const PASSWORD_FLOW = { authFlowType: 'USER_PASSWORD_AUTH' } as const

/** How the Authenticator signs in, where that is not Amplify's own way. */
export function authenticatorServices({ cognitoEndpoint }: Settings) {
  if (!cognitoEndpoint) return {}
  return {
    handleSignIn: (input: SignInInput) => signIn({ ...input, options: { ...input.options, ...PASSWORD_FLOW } }),
    handleSignUp: (input: SignUpInput) =>
      signUp({ ...input, options: { userAttributes: {}, ...input.options, autoSignIn: PASSWORD_FLOW } }),
  }
}
