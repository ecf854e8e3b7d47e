// Who the API takes the user for: its own record, not Cognito's.
import type { Me as Identity } from '../api'

export function Me({ me }: { me: Identity }) {
  return (
    <section aria-labelledby="me-title">
      <h2 id="me-title">You, as the API knows you</h2>
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
