// What stands above the sign-in form: where one is, and why one may be here again.

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
