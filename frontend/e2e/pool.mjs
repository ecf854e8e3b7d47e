// Creates a user pool with an app client in a Cognito emulator, and prints the settings for the API and the page.
//   node e2e/pool.mjs http://localhost:9229
// cognito-local wants e-mail addresses as usernames unless its .cognito/config.json says otherwise:
//   {"UserPoolDefaults": {"UsernameAttributes": []}}

import { call } from '../../scripts/stack/emulator.mjs'

const endpoint = process.argv[2] ?? 'http://localhost:9229'

const { UserPool } = await call(endpoint, 'CreateUserPool', {
  PoolName: 'gatepost',
  AutoVerifiedAttributes: ['email'],
})
const { UserPoolClient } = await call(endpoint, 'CreateUserPoolClient', {
  UserPoolId: UserPool.Id,
  ClientName: 'frontend',
  GenerateSecret: false,
  ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
})

console.log(`# for the API
AWS_USER_POOLS_ID=${UserPool.Id}
AWS_APP_CLIENT_ID=${UserPoolClient.ClientId}
COGNITO_ISSUER=${endpoint}/${UserPool.Id}
COGNITO_LINK_UNVERIFIED_EMAIL=true
COGNITO_CREATE_USERS=true
# for the page
VITE_USER_POOL_ID=${UserPool.Id}
VITE_USER_POOL_CLIENT_ID=${UserPoolClient.ClientId}
VITE_COGNITO_ENDPOINT=${endpoint}`)
