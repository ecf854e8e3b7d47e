// A client for the API: its types and its calls.
import type { components } from './api-types'
import { idToken } from './session'

type Schemas = components['schemas']

export type Article = Schemas['Article']
export type Me = Schemas['User']

/** One page of a list. `next` and `previous` are query strings for `listArticles`. */
export interface ArticlePage {
  articles: Article[]
  total: number
  next: string | undefined
  previous: string | undefined
}

/** An answer other than 2xx, in Django REST framework's format. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** The error as a sentence. */
    readonly detail: string,
    /** Why a token was refused, such as `token_expired`. */
    readonly code: string | undefined,
    /** The messages of each field. */
    readonly fields: Record<string, string[]>,
    /** Identifies the request in the API's log. */
    readonly requestId: string | undefined,
  ) {
    super(detail)
  }
}

export class Api {
  constructor(private readonly address: string) {}

  async me(signal: AbortSignal): Promise<Me> {
    return (await this.request('/me/', { signal })).json()
  }

  async listArticles(query: string, signal: AbortSignal): Promise<ArticlePage> {
    const response = await this.request(`/articles/${query}`, { signal })
    const links = parseLinks(response.headers.get('Link') ?? '')
    return {
      articles: await response.json(),
      total: Number(response.headers.get('X-Total-Count')),
      next: links.next,
      previous: links.prev,
    }
  }

  async createArticle(name: string): Promise<Article> {
    const fields: Schemas['ArticleFields'] = { name }
    const body = JSON.stringify(fields)
    return (await this.request('/articles/', { method: 'POST', body })).json()
  }

  /** On a 401, refreshes the session once and repeats the request: a refused request has changed nothing. */
  private async request(path: string, init: RequestInit): Promise<Response> {
    let response = await this.send(path, init, await idToken(false))
    if (response.status === 401) response = await this.send(path, init, await idToken(true))
    if (!response.ok) throw await readError(response)
    return response
  }

  private async send(path: string, init: RequestInit, token: string): Promise<Response> {
    const headers = new Headers({ Accept: 'application/json', Authorization: `Bearer ${token}` })
    if (init.body) headers.set('Content-Type', 'application/json')
    const signals = [AbortSignal.timeout(20_000), ...(init.signal ? [init.signal] : [])]
    try {
      return await fetch(this.address + path, { ...init, headers, signal: AbortSignal.any(signals) })
    } catch (cause) {
      // The browser does not say whether there was no answer or CORS hides it.
      const hint = `Is it running, and does its CORS_ALLOWED_ORIGINS include ${location.origin}?`
      throw new Error(`No answer from the API at ${this.address}. ${hint}`, { cause })
    }
  }
}

/**
 * The query strings in a `Link` header (RFC 8288), by their `rel`. Only the query of each URL is used. So the token
 * never goes to another host, and an API below a path prefix works.
 */
function parseLinks(header: string): Record<string, string | undefined> {
  const links = header.matchAll(/<([^>]*)>[^,]*?;\s*rel="?(\w+)"?/g)
  return Object.fromEntries([...links].map(([, target = '', rel]) => [rel, target.replace(/^[^?]*/, '')]))
}

async function readError(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('X-Request-Id') ?? undefined
  // A proxy may answer with something other than JSON.
  const body: unknown = await response.json().catch(() => null)
  const members = Object.entries(body && typeof body === 'object' ? body : {})
  const text = new Map(members.filter((member): member is [string, string] => typeof member[1] === 'string'))
  const fields = Object.fromEntries(members.filter((member): member is [string, string[]] => Array.isArray(member[1])))
  const detail = text.get('detail') ?? Object.values(fields).flat().join(' ')
  return new ApiError(response.status, detail, text.get('code'), fields, requestId)
}
