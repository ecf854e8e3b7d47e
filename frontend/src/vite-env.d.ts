// The settings that Vite takes from the environment. settings.ts checks them.
interface ImportMetaEnv {
  readonly VITE_USER_POOL_ID?: string
  readonly VITE_USER_POOL_CLIENT_ID?: string
  readonly VITE_API_URL?: string
  readonly VITE_COGNITO_ENDPOINT?: string
  readonly VITE_EMULATOR_CODE?: string
}
