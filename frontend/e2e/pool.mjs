// Creates a user pool with an app client in a Cognito emulator, and prints the settings for the API and the page.
//   node e2e/pool.mjs http://localhost:9229
// cognito-local wants e-mail addresses as usernames unless its .cognito/config.json says otherwise:
//   {"UserPoolDefaults": {"UsernameAttributes": []}}

const endpoint = process.argv[2] ?? 'http://localhost:9229'

async function call(action, input) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': `AWSCognitoIdentityProviderService.${action}`,
      // The emulators need a signature, but do not check it.
      Authorization: 'AWS4-HMAC-SHA256 Credential=emulator/20260101/us-east-1/cognito-idp/aws4_request',
    },
    body: JSON.stringify(input),
  })
  if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`)
  return response.json()
}

const { UserPool } = await call('CreateUserPool', {
  PoolName: 'gatepost',
  AutoVerifiedAttributes: ['email'],
})
const { UserPoolClient } = await call('CreateUserPoolClient', {
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
