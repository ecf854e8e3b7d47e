// The user's record in the API, which is not Cognito's.
import type { Me as Identity } from '../api'

export function Me({ me }: { me: Identity }) {
  return (
    <section aria-labelledby="me-title">
      <h2 id="me-title">Your user in the API</h2>
      <dl className="facts card">
        {Object.entries(me).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value === '' ? <span className="soft">(empty)</span> : String(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
