// In place of a blank page: which settings are missing or wrong, and where they belong.
import type { SettingProblem } from '../settings'
import { Frame } from './Frame'

export function SettingsHelp({ problems }: { problems: SettingProblem[] }) {
  return (
    <Frame>
      <h1>This page needs its settings</h1>
      <ul className="settings">
        {problems.map(({ name, message }) => (
          <li key={name}>
            <code>{name}</code> {message}
          </li>
        ))}
      </ul>
      <p>
        Copy <code>.env.example</code> to <code>.env.local</code>, fill it in and start <code>npm run dev</code> (or{' '}
        <code>npm run build</code>) again. The pool and the client are those of the API’s own settings,{' '}
        <code>AWS_USER_POOLS_ID</code> and <code>AWS_APP_CLIENT_ID</code>.
      </p>
    </Frame>
  )
}
