// The frame around the page, and what it shows to signed-in users and to others.
import { Authenticator, useAuthenticator } from '@aws-amplify/ui-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Api } from './api'
import { Frame, focusMain } from './components/Frame'
import { Home } from './components/Home'
import { Welcome } from './components/Welcome'
import { authenticatorServices, followOtherTabs, watchSession } from './session'
import type { Settings } from './settings'

export function App({ settings, api }: { settings: Settings; api: Api }) {
  const { signOut, user } = useAuthenticator((context) => [context.user])
  const signedIn = useSignedIn()
  const services = useMemo(() => authenticatorServices(settings), [settings])
  const [sessionEnded, setSessionEnded] = useState(false)
  useEffect(() => watchSession(setSessionEnded), [])
  useEffect(followOtherTabs, [])
  return (
    <Frame
      aside={
        signedIn && (
          <>
            <span className="soft">{user.username}</span>
            <button type="button" onClick={signOut}>
              Sign out
            </button>
          </>
        )
      }
    >
      {signedIn === false && <Welcome sessionEnded={sessionEnded} emulatorCode={settings.emulatorCode} />}
      <Authenticator signUpAttributes={['email']} services={services}>
        <Home api={api} />
      </Authenticator>
    </Frame>
  )
}

/**
 * Whether a user is signed in; undefined until that is known. This uses `route`, because `authStatus` already says
 * "authenticated" while the Authenticator may still have a question.
 */
function useSignedIn(): boolean | undefined {
  const { route } = useAuthenticator((context) => [context.route])
  const signedIn = ['idle', 'setup', 'transition', 'signOut'].includes(route) ? undefined : route === 'authenticated'

  // Signing in or out removes the element that had the focus, so move the focus to the new content.
  const before = useRef(signedIn)
  useEffect(() => {
    if (signedIn === undefined) return
    if (before.current === !signedIn) focusMain()
    before.current = signedIn
  }, [signedIn])
  return signedIn
}
