// Buttons for the previous and the next page, from the API's Link header.
interface Target {
  label: string
  query: string | undefined
}

interface Props {
  previous: string | undefined
  next: string | undefined
  onGo: (query: string) => void
}

export function Pager({ previous, next, onGo }: Props) {
  if (!previous && !next) return null
  const targets: Target[] = [
    { label: 'Previous page', query: previous },
    { label: 'Next page', query: next },
  ]
  return (
    <nav className="pager" aria-label="Pages">
      {targets.map(({ label, query }) => (
        // Not `disabled`: a button that is disabled on the last page would lose the focus.
        <button key={label} type="button" aria-disabled={!query} onClick={() => query && onGo(query)}>
          {label}
        </button>
      ))}
    </nav>
  )
}
