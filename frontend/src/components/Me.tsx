// Who the API takes the user for, which is its own record and not Cognito's.
import { useCallback } from 'react'
import type { Api } from '../api'
import { useLoaded } from '../useLoaded'
import { Problem } from './Problem'

export function Me({ api }: { api: Api }) {
  const { value: me, error, loading, reload } = useLoaded(useCallback((signal: AbortSignal) => api.me(signal), [api]))
  return (
    <section aria-labelledby="me-title">
      <h2 id="me-title">You, as the API knows you</h2>
      {error && <Problem error={error} onRetry={reload} />}
      {loading && !me && !error && <p className="soft">Loading…</p>}
      {me && !error && (
        <dl className="facts card">
          {Object.entries(me).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value === '' ? <span className="soft">(empty)</span> : String(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  )
}
