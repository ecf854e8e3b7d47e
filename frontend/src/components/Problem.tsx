// An error, with everything that the API says about it.
import { useAuthenticator } from '@aws-amplify/ui-react'
import { ApiError } from '../api'
import { SessionEnded } from '../session'

interface Props {
  error: Error
  onRetry?: () => void
  retrying?: boolean
}

export function Problem({ error, onRetry, retrying = false }: Props) {
  const { signOut } = useAuthenticator((context) => [context.user])
  const isRefused = error instanceof SessionEnded || (error instanceof ApiError && error.status === 401)
  return (
    <div className="problem" role="alert">
      <p className="problem-title">{title(error)}</p>
      {error instanceof ApiError && <Answer error={error} />}
      {onRetry && (
        <button type="button" aria-disabled={retrying} onClick={() => retrying || onRetry()}>
          {retrying ? 'Trying again…' : 'Try again'}
        </button>
      )}
      {isRefused && (
        <button type="button" onClick={signOut}>
          Sign in again
        </button>
      )}
    </div>
  )
}

function title(error: Error): string {
  if (!(error instanceof ApiError)) return error.message
  if (error.status === 401) return 'The API refused your session, even after a refresh.'
  return `The API answered with ${error.status}.`
}

function Answer({ error }: { error: ApiError }) {
  return (
    <>
      {error.detail && <p>{error.detail}</p>}
      <dl className="facts">
        {error.code && <Fact name="Code" value={error.code} />}
        {error.requestId && <Fact name="Request" value={error.requestId} />}
      </dl>
    </>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
      </dd>
    </div>
  )
}
