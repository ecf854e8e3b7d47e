// The text above the sign-in form: what this page is, and whether a session has ended.

interface Props {
  sessionEnded: boolean
  emulatorCode: string | undefined
}

export function Welcome({ sessionEnded, emulatorCode }: Props) {
  return (
    <div className="welcome">
      <h1>Gatepost articles</h1>
      <p className="soft">Sign in to read and write articles.</p>
      {emulatorCode && (
        <p className="soft">
          An emulator stands in for Cognito. It sends no e-mails: the code is always <strong>{emulatorCode}</strong>.
        </p>
      )}
      {sessionEnded && (
        <p className="problem" role="alert">
          Your session has ended and could not be refreshed. Please sign in again.
        </p>
      )}
    </div>
  )
}
