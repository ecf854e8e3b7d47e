// The list of articles, page by page, and the form for a new one.
import { useCallback, useState } from 'react'
import type { Api, ArticlePage } from '../api'
import { useLoaded } from '../useLoaded'
import { NewArticle } from './NewArticle'
import { Pager } from './Pager'
import { Problem } from './Problem'

/** The newest first, so that a new article is at the top. */
const FIRST_PAGE = '?ordering=-id&limit=10'

export function Articles({ api }: { api: Api }) {
  const [query, setQuery] = useState(FIRST_PAGE)
  const load = useCallback((signal: AbortSignal) => api.listArticles(query, signal), [api, query])
  const { value: page, error, loading, reload } = useLoaded(load)

  function showNewest() {
    setQuery(FIRST_PAGE)
    reload()
  }

  return (
    <section aria-labelledby="articles-title" aria-busy={loading}>
      <h1 id="articles-title">Articles</h1>
      <NewArticle api={api} onCreated={showNewest} />
      {error && <Problem error={error} onRetry={reload} retrying={loading} />}
      <p className="count" role="status">
        {page ? count(page) : loading && 'Loading…'}
      </p>
      {page && (
        <>
          <ol className="articles card">
            {page.articles.map((article) => (
              <li key={article.id}>
                <span className="number">{article.id}</span>
                <span>{article.name}</span>
              </li>
            ))}
          </ol>
          <Pager previous={page.previous} next={page.next} onGo={setQuery} />
        </>
      )}
    </section>
  )
}

function count({ articles, total }: ArticlePage): string {
  const all = total === 1 ? '1 article' : `${total || 'No'} articles`
  return articles.length === total ? `${all}.` : `${all}, the newest first. This page shows ${articles.length}.`
}
