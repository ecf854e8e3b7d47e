// The form for a new article. The API checks the name; its messages appear at the field.
import { type FormEvent, useRef, useState } from 'react'
import { type Api, ApiError } from '../api'
import { Problem } from './Problem'

export function NewArticle({ api, onCreated }: { api: Api; onCreated: () => void }) {
  const [name, setName] = useState('')
  const [sending, setSending] = useState(false)
  const [error, setError] = useState<Error>()
  const [created, setCreated] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const messages = (error instanceof ApiError && error.fields.name) || []

  async function create(event: FormEvent) {
    event.preventDefault()
    if (sending) return
    setSending(true)
    setCreated('')
    try {
      const article = await api.createArticle(name)
      setError(undefined)
      setName('')
      setCreated(`Article ${article.id} created.`)
      onCreated()
    } catch (reason) {
      setError(reason as Error)
    }
    setSending(false)
    input.current?.focus()
  }

  return (
    // Neither `required` nor `maxlength`: the API has the rules, and this page shows its messages.
    <form className="new-article" onSubmit={create} noValidate>
      <label htmlFor="name">Name of a new article</label>
      <div className="row">
        <input
          id="name"
          ref={input}
          value={name}
          onChange={(event) => setName(event.target.value)}
          aria-invalid={messages.length > 0}
          aria-describedby="name-messages"
          autoComplete="off"
        />
        <button type="submit" className="primary" aria-disabled={sending}>
          Create
        </button>
      </div>
      <ul id="name-messages" className="messages bad" aria-live="polite">
        {messages.map((message) => (
          <li key={message}>{message}</li>
        ))}
      </ul>
      {error && messages.length === 0 && <Problem error={error} />}
      <p className="good" role="status">
        {created}
      </p>
    </form>
  )
}
