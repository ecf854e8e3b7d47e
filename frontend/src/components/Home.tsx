// What a signed-in user sees, once the API has accepted the session too.
import { useCallback } from 'react'
import type { Api } from '../api'
import { useLoaded } from '../useLoaded'
import { Articles } from './Articles'
import { Me } from './Me'
import { Problem } from './Problem'

export function Home({ api }: { api: Api }) {
  // Cognito's word that somebody is signed in is not enough: the API may know nobody of that address.
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
