// The text above the sign-in form: what this page is, and whether a session has ended.

export function Welcome({ sessionEnded }: { sessionEnded: boolean }) {
  return (
    <div className="welcome">
      <h1>Gatepost articles</h1>
      <p className="soft">Sign in to read and write articles.</p>
      {sessionEnded && (
        <p className="problem" role="alert">
          Your session has ended and could not be refreshed. Please sign in again.
        </p>
      )}
    </div>
  )
}
