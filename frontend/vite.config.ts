// The API allows only port 3000 in development mode, so Vite must not choose another one.
import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv, type Plugin } from 'vite'

export default defineConfig(({ mode }) => ({
  plugins: [react(), contentSecurityPolicy(loadEnv(mode, '.', 'VITE_'))],
  server: { port: 3000, strictPort: true },
  preview: { port: 3000, strictPort: true },
  // Amplify and its components are most of the page: 220 kB gzipped.
  build: { chunkSizeWarningLimit: 900 },
}))

/**
 * Tokens are in the browser's storage, so the built page runs only its own scripts and connects only to the API and
 * Cognito. This does not apply in development, because Vite's hot reload needs inline scripts.
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
