// Shown instead of a blank page: which settings are missing or wrong, and where to set them.
import type { SettingProblem } from '../settings'
import { Frame } from './Frame'

export function SettingsHelp({ problems }: { problems: SettingProblem[] }) {
  return (
    <Frame>
      <h1>Settings are missing or wrong</h1>
      <ul className="settings">
        {problems.map(({ name, message }) => (
          <li key={name}>
            <code>{name}</code> {message}
          </li>
        ))}
      </ul>
      <p>
        Copy <code>.env.example</code> to <code>.env.local</code>, fill it in and restart <code>npm run dev</code> (or{' '}
        <code>npm run build</code>). Use the same pool and client as the API has in <code>AWS_USER_POOLS_ID</code> and{' '}
        <code>AWS_APP_CLIENT_ID</code>.
      </p>
    </Frame>
  )
}
