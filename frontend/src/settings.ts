// The settings, read and checked once. The result is either all settings or a list of problems.

export interface Settings {
  userPoolId: string
  userPoolClientId: string
  /** Without a slash at the end. */
  apiUrl: string
  /** The URL of an emulator; undefined for AWS. */
  cognitoEndpoint: string | undefined
  /** The code that an emulator always takes, which sends no e-mail; undefined for AWS. */
  emulatorCode: string | undefined
}

export interface SettingProblem {
  name: keyof ImportMetaEnv
  message: string
}

export function readSettings(env: ImportMetaEnv): Settings | SettingProblem[] {
  const problems: SettingProblem[] = []

  function text(name: keyof ImportMetaEnv, pattern: RegExp, message: string): string {
    const value = env[name]?.trim() ?? ''
    if (!pattern.test(value)) problems.push({ name, message: value ? `is “${value}”. It ${message}` : `is not set. It ${message}` })
    return value
  }

  function address(name: keyof ImportMetaEnv, otherwise: string): string {
    const value = env[name]?.trim() || otherwise
    const usable = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
    if (value && !usable) problems.push({ name, message: `is “${value}”. It must be a URL such as http://localhost:8000.` })
    return value.replace(/\/+$/, '')
  }

  const settings = {
    userPoolId: text(
      'VITE_USER_POOL_ID',
      /^[\w-]+_[0-9A-Za-z]+$/,
      'must be the id of your Cognito user pool, such as eu-west-1_AbCdEfGhI.',
    ),
    userPoolClientId: text(
      'VITE_USER_POOL_CLIENT_ID',
      /^\w+$/,
      'must be the id of an app client of this pool without a client secret.',
    ),
    apiUrl: address('VITE_API_URL', 'http://localhost:8000'),
    cognitoEndpoint: address('VITE_COGNITO_ENDPOINT', '') || undefined,
    emulatorCode: env.VITE_EMULATOR_CODE?.trim() || undefined,
  }
  return problems.length > 0 ? problems : settings
}
