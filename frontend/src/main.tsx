// Starts the page, or says which settings are missing.
import { Authenticator } from '@aws-amplify/ui-react'
import '@aws-amplify/ui-react/styles.layer.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Api } from './api'
import { App } from './App'
import { SettingsHelp } from './components/SettingsHelp'
import { connectUserPool } from './session'
import { readSettings } from './settings'
import './styles.css'
import { putOurWords } from './words'

const settings = readSettings(import.meta.env)
if (!Array.isArray(settings)) connectUserPool(settings)
putOurWords()

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {Array.isArray(settings) ? (
      <SettingsHelp problems={settings} />
    ) : (
      <Authenticator.Provider>
        <App settings={settings} api={new Api(settings.apiUrl)} />
      </Authenticator.Provider>
    )}
  </StrictMode>,
)
