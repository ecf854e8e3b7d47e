import { fileURLToPath } from "node:url";
import { Aws, CfnOutput, Duration, Fn, RemovalPolicy, Stack, Tags } from "aws-cdk-lib";
import {
  AccountRecovery, FeaturePlan, Mfa, OAuthScope, ResourceServerScope, UserPool, UserPoolClientIdentityProvider,
  UserPoolOperation,
} from "aws-cdk-lib/aws-cognito";
import { InstanceProfile, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";

const RESOURCE_SERVER = "articles";
const STAFF_GROUP = "staff";
/** What all of COGNITO_ADMIN_ACTIONS need. */
const POOL_ACTIONS = [
  "AdminGetUser", "AdminListGroupsForUser", "AdminCreateUser", "AdminDisableUser", "AdminUserGlobalSignOut",
  "AdminEnableUser", "AdminResetUserPassword",
];

/** The pool, its app clients and sign-in domain, the triggers with their secrets, and a role for the server. */
export class GatepostStack extends Stack {
  constructor(scope, id, { publicUrl, domainPrefix, selfSignUp, userMigration, poolActions, ...props }) {
    super(scope, id, { description: "The user pool of Gatepost, with what belongs to it", ...props });
    Tags.of(this).add("application", "gatepost");
    this.publicUrl = publicUrl;
    this.pool = this.#pool(selfSignUp);
    const domain = domainPrefix ?? `gatepost-${Aws.ACCOUNT_ID}`;
    this.pool.addDomain("Domain", { cognitoDomain: { domainPrefix: domain } });
    this.pool.addGroup("Staff", { groupName: STAFF_GROUP, description: "Staff of Gatepost's admin" });
    this.pool.addResourceServer("ResourceServer", {
      identifier: RESOURCE_SERVER,
      scopes: ["read", "write"].map(name => new ResourceServerScope({ scopeName: name, scopeDescription: name })),
    });
    const appClient = this.#appClient(userMigration);
    const adminClient = this.#adminClient();
    this.#trigger("PostConfirmation", "post_confirmation", UserPoolOperation.POST_CONFIRMATION);
    if (userMigration) this.#trigger("UserMigration", "user_migration", UserPoolOperation.USER_MIGRATION);
    this.output("ServerProfile", this.#instanceProfile(poolActions).instanceProfileName, "For the EC2 instance that runs Gatepost");
    this.output("AppClientId", appClient.userPoolClientId, "For your app: users sign in with it");
    this.output("SignInUrl", `https://${domain}.auth.${Aws.REGION}.amazoncognito.com`, "The pool's sign-in pages");
    // One text, because the name of an output cannot have an underscore.
    this.output("Settings", Fn.join("\n", settings({
      AWS_USER_POOLS_ID: this.pool.userPoolId,
      AWS_APP_CLIENT_ID: appClient.userPoolClientId,
      COGNITO_ADMIN_CLIENT_ID: adminClient.userPoolClientId,
      COGNITO_RESOURCE_SERVER: RESOURCE_SERVER,
      COGNITO_STAFF_GROUP: STAFF_GROUP,
      COGNITO_CREATE_USERS: "true",
      PUBLIC_URL: publicUrl,
    })), "Gatepost's settings, without its secrets");
  }

  output(name, value, description) {
    new CfnOutput(this, name, { value, description });
  }

  #pool(selfSignUpEnabled) {
    return new UserPool(this, "Pool", {
      // Some of this cannot be changed later without a new pool and the loss of all users.
      signInAliases: { email: true },
      signInCaseSensitive: false,
      selfSignUpEnabled,
      autoVerify: { email: true },
      // A new e-mail counts only when it is verified: Gatepost finds users by it.
      keepOriginal: { email: true },
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      mfa: Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 12, requireDigits: false, requireLowercase: false, requireSymbols: false, requireUppercase: false,
        tempPasswordValidity: Duration.days(7),
      },
      featurePlan: FeaturePlan.ESSENTIALS,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** A public client: a page or a mobile app cannot keep a secret. */
  #appClient(userMigration) {
    return this.pool.addClient("AppClient", {
      // A server with AWS credentials can sign users in as well, which docs/aws.md uses to try the API.
      // For a migration, Cognito has to see the password.
      authFlows: { userSrp: true, adminUserPassword: true, userPassword: userMigration },
      disableOAuth: true,
      preventUserExistenceErrors: true,
    });
  }

  #adminClient() {
    return this.pool.addClient("AdminClient", {
      generateSecret: true,
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, OAuthScope.EMAIL, OAuthScope.PROFILE],
        callbackUrls: [`${this.publicUrl}/admin/login/cognito/callback/`],
        logoutUrls: [`${this.publicUrl}/admin/login/`],
      },
      preventUserExistenceErrors: true,
    });
  }

  /** A Lambda function of this repository, which signs what it tells Gatepost with a secret of its own. */
  #trigger(name, folder, operation) {
    const secret = new Secret(this, `${name}Key`, {
      description: `Gatepost knows this secret, too: it is in ${folder.toUpperCase()}_SECRETS`,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    const logGroup = new LogGroup(this, `${name}Log`, {
      retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY,
    });
    // A separate role, because the managed policy may write to every log group of the account.
    const role = new Role(this, `${name}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    logGroup.grantWrite(role);
    secret.grantRead(role);
    const code = fileURLToPath(new URL(`../../lambda/${folder}`, import.meta.url));
    this.pool.addTrigger(operation, new Function(this, name, {
      description: `Cognito's ${name} trigger for Gatepost`,
      code: Code.fromAsset(code, { exclude: ["*", "!index.mjs", "!package.json"] }),
      handler: "index.handler",
      runtime: Runtime.NODEJS_22_X,
      architecture: Architecture.ARM_64,
      // This much loads the AWS SDK well within Cognito's 5 seconds.
      memorySize: 512,
      timeout: Duration.seconds(5),
      role,
      logGroup,
      environment: { GATEPOST_URL: this.publicUrl, [`${folder.toUpperCase()}_SECRET_ARN`]: secret.secretArn },
    }));
    this.output(`${name}SecretArn`, secret.secretArn, `The secret for ${folder.toUpperCase()}_SECRETS`);
  }

  /** What `gatepost sync` needs, and nothing else unless staff act in the pool: docs/sync.md, docs/pool-actions.md. */
  #instanceProfile(poolActions) {
    const actions = ["ListUsers", "ListUsersInGroup", ...(poolActions ? POOL_ACTIONS : [])];
    const statement = new PolicyStatement({
      actions: actions.map(action => `cognito-idp:${action}`),
      resources: [this.pool.userPoolArn],
    });
    const role = new Role(this, "ServerRole", {
      assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
      inlinePolicies: { sync: new PolicyDocument({ statements: [statement] }) },
    });
    return new InstanceProfile(this, "InstanceProfile", { role });
  }
}

const settings = values => Object.entries(values).map(([name, value]) => `${name}=${value}`);
