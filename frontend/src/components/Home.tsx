// What a signed-in user sees after the API has accepted the session.
import { useCallback } from 'react'
import type { Api } from '../api'
import { useLoaded } from '../useLoaded'
import { Articles } from './Articles'
import { Me } from './Me'
import { Problem } from './Problem'

export function Home({ api }: { api: Api }) {
  // A sign-in at Cognito is not enough: the API may have no user with this e-mail.
  const { value: me, error, loading, reload } = useLoaded(useCallback((signal: AbortSignal) => api.me(signal), [api]))
  if (error) {
    return (
      <>
        <h1>Articles</h1>
        <Problem error={error} onRetry={reload} retrying={loading} />
      </>
    )
  }
  if (!me) return <p role="status">Loading…</p>
  return (
    <div className="home">
      <Articles api={api} />
      <Me me={me} />
    </div>
  )
}
