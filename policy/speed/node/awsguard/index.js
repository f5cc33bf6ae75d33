// AWSGuard with every policy that needs nothing but the resources: three ask AWS,
// where there is no AWS to ask.
const { AwsGuard } = require("@pulumi/awsguard");

new AwsGuard({
    all: "mandatory",
    acmCertificateExpiration: "disabled",
    iamAccessKeysRotated: "disabled",
    iamMfaEnabledForConsoleAccess: "disabled",
});
