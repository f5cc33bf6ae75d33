// Ten rules of Redoubt's, by the same names and with the same answers, as a pack of
// Node's is written. Each is bound to a type by its token alone: the classes of
// @pulumi/aws would only make the start slower.
const { PolicyPack, validateResourceOfType } = require("@pulumi/policy");

const ofType = (token, broken) =>
    validateResourceOfType({ __pulumiType: token, isInstance: () => false }, (props, _, report) => {
        if (broken(props)) {
            report("it breaks the rule");
        }
    });

const policy = (name, tokens, broken) => ({
    name,
    description: name,
    enforcementLevel: "mandatory",
    validateResource: tokens.length === 1 ? ofType(tokens[0], broken) : tokens.map((token) => ofType(token, broken)),
});

const rotates = (key) =>
    key.enableKeyRotation === true ||
    (key.keyUsage !== undefined && key.keyUsage !== "ENCRYPT_DECRYPT") ||
    (key.customerMasterKeySpec !== undefined && key.customerMasterKeySpec !== "SYMMETRIC_DEFAULT") ||
    !!key.customKeyStoreId ||
    !!key.xksKeyId;

new PolicyPack("ten", {
    policies: [
        policy("kms-key-rotation-enabled", ["aws:kms/key:Key"], (key) => !rotates(key)),
        policy("kms-deletion-window-30", ["aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"],
            (key) => key.deletionWindowInDays !== undefined && key.deletionWindowInDays < 30),
        policy("log-group-retention", ["aws:cloudwatch/logGroup:LogGroup"], (group) => !(group.retentionInDays >= 1)),
        policy("lambda-xray-active", ["aws:lambda/function:Function"],
            (fn) => !fn.tracingConfig || fn.tracingConfig.mode !== "Active"),
        policy("rds-not-publicly-accessible", ["aws:rds/clusterInstance:ClusterInstance", "aws:rds/instance:Instance"],
            (db) => db.publiclyAccessible !== undefined && db.publiclyAccessible !== false),
        policy("subnet-no-auto-assign-public-ip", ["aws:ec2/subnet:Subnet"],
            (subnet) => !!subnet.mapPublicIpOnLaunch || !!subnet.assignIpv6AddressOnCreation),
        policy("cloudtrail-log-file-validation", ["aws:cloudtrail/trail:Trail"], (trail) => trail.enableLogFileValidation !== true),
        policy("sns-topic-cmk", ["aws:sns/topic:Topic"],
            (topic) => !topic.kmsMasterKeyId || topic.kmsMasterKeyId.endsWith("alias/aws/sns")),
        policy("alb-drop-invalid-header-fields", ["aws:lb/loadBalancer:LoadBalancer"],
            (lb) => [undefined, "application"].includes(lb.loadBalancerType) && lb.dropInvalidHeaderFields !== true),
        policy("secret-recovery-window", ["aws:secretsmanager/secret:Secret"],
            (secret) => secret.recoveryWindowInDays !== undefined && secret.recoveryWindowInDays < 7),
    ],
});
