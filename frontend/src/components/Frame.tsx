// The bar at the top and the page's main part.
import type { ReactNode } from 'react'

export function Frame({ aside, children }: { aside?: ReactNode; children: ReactNode }) {
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <span className="brand">Gatepost</span>
        <div className="bar-aside">{aside}</div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  )
}

export function focusMain(): void {
  document.getElementById('main')?.focus()
}
