// Loads something for a component: its value, whether it is still loading, and its error.
import { useCallback, useEffect, useState } from 'react'

export interface Loaded<T> {
  value: T | undefined
  error: Error | undefined
  loading: boolean
  reload: () => void
}

/** Pass the same `load` function until you want to load something else. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [round, setRound] = useState(0)
  const [value, setValue] = useState<T>()
  const [error, setError] = useState<Error>()
  const [loading, setLoading] = useState(true)

  useEffect(() => {
    const left = new AbortController()
    setLoading(true)
    load(left.signal)
      .then(
        (loaded) => [loaded, undefined] as const,
        (reason: unknown) => [undefined, reason as Error] as const,
      )
      .then(([loaded, failure]) => {
        // A late answer to an earlier request must not replace a newer one.
        if (left.signal.aborted) return
        if (!failure) setValue(loaded)
        setError(failure)
        setLoading(false)
      })
    return () => left.abort()
  }, [load, round])

  return { value, error, loading, reload: useCallback(() => setRound((before) => before + 1), []) }
}
