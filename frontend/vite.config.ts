// Port 3000 is the origin that the API allows in development, so another port would not do.
import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv, type Plugin } from 'vite'

export default defineConfig(({ mode }) => ({
  plugins: [react(), contentSecurityPolicy(loadEnv(mode, '.', 'VITE_'))],
  server: { port: 3000, strictPort: true },
  preview: { port: 3000, strictPort: true },
  // Amplify and its components are most of it: 180 kB gzipped.
  build: { chunkSizeWarningLimit: 800 },
}))

/**
 * Tokens live in the browser's storage, so the built page runs no script but its own and talks to nobody
 * but the API and Cognito. Not while developing: Vite's hot reload needs inline scripts.
 */
function contentSecurityPolicy(env: Record<string, string>): Plugin {
  const region = (env.VITE_USER_POOL_ID ?? '').split('_')[0]
  const connect = [
    env.VITE_API_URL || 'http://localhost:8000',
    env.VITE_COGNITO_ENDPOINT || `https://cognito-idp.${region}.amazonaws.com`,
  ]
    .filter((address) => URL.canParse(address))
    .map((address) => new URL(address).origin)
  const content = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${connect.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content }, injectTo: 'head-prepend' },
    ],
  }
}
