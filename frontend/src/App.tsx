// The frame around everything, and the choice: signed in or not.
import { Authenticator, useAuthenticator } from '@aws-amplify/ui-react'
import { useEffect, useMemo, useState } from 'react'
import type { Api } from './api'
import { Articles } from './components/Articles'
import { Frame } from './components/Frame'
import { Me } from './components/Me'
import { Welcome } from './components/Welcome'
import { authenticatorServices, watchSession } from './session'
import type { Settings } from './settings'

/** The Authenticator's states in which it shows no form. */
const SETTLED = ['idle', 'setup', 'authenticated', 'signOut']

export function App({ settings, api }: { settings: Settings; api: Api }) {
  // Not `authStatus`, which says "authenticated" while the Authenticator may still have a question.
  const { route, signOut, user } = useAuthenticator((context) => [context.route, context.user])
  const services = useMemo(() => authenticatorServices(settings), [settings])
  const [sessionEnded, setSessionEnded] = useState(false)
  useEffect(() => watchSession(setSessionEnded), [])
  return (
    <Frame
      aside={
        route === 'authenticated' && (
          <>
            <span className="soft">{user.username}</span>
            <button type="button" onClick={signOut}>
              Sign out
            </button>
          </>
        )
      }
    >
      {!SETTLED.includes(route) && <Welcome sessionEnded={sessionEnded} />}
      <Authenticator signUpAttributes={['email']} services={services}>
        <div className="signed-in">
          <Articles api={api} />
          <Me api={api} />
        </div>
      </Authenticator>
    </Frame>
  )
}
