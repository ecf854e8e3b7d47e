// What Gatepost needs of AWS, as an app of the AWS CDK. `docs/aws.md` shows how to deploy it.
import { App } from "aws-cdk-lib";
import { GatepostStack } from "./stack.mjs";

const app = new App();
const option = (name, otherwise) => app.node.tryGetContext(name) ?? otherwise;

const publicUrl = option("publicUrl", "");
if (!/^https:\/\/[^/?#@\s]+$/.test(publicUrl)) {
  throw new Error("Say where Gatepost will be: --context publicUrl=https://api.example.com, without a path.");
}

new GatepostStack(app, "Gatepost", {
  publicUrl,
  // The prefix of the sign-in pages' host name. No other pool of the region can have it.
  domainPrefix: option("domainPrefix"),
  selfSignUp: option("selfSignUp", "true") === "true",
  userMigration: option("userMigration", "false") === "true",
  poolActions: option("poolActions", "false") === "true",
});
