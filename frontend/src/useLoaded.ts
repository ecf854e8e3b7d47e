// Loading something for a component: what is there, whether more is coming, what went wrong.
import { useCallback, useEffect, useState } from 'react'

export interface Loaded<T> {
  value: T | undefined
  error: Error | undefined
  loading: boolean
  reload: () => void
}

/** `load` has to stay the same function until something else is to be loaded. */
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
        // An answer that nobody waits for any more must not replace a later one.
        if (left.signal.aborted) return
        if (!failure) setValue(loaded)
        setError(failure)
        setLoading(false)
      })
    return () => left.abort()
  }, [load, round])

  return { value, error, loading, reload: useCallback(() => setRound((before) => before + 1), []) }
}
