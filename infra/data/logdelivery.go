package data

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kinesis"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// How the stream gathers and tries: seconds and MiB.
const (
	bufferSeconds       = 60
	bufferMiB           = 5
	backupBufferSeconds = 300
	retrySeconds        = 300
)

// destination is the domain, reached through the VPC, with the bucket for what
// it does not take.
func (c *LogIngestion) destination(args *LogIngestionArgs, role *identity.Role) *kinesis.FirehoseDeliveryStreamOpensearchConfigurationArgs {
	rotation, mode := args.IndexRotation, "FailedDocumentsOnly"
	if rotation == "" {
		rotation = "OneDay"
	}
	if args.AllDocuments {
		mode = "AllDocuments"
	}
	return &kinesis.FirehoseDeliveryStreamOpensearchConfigurationArgs{
		DomainArn:           args.Domain.Arn,
		RoleArn:             role.Arn,
		IndexName:           pulumi.String(args.IndexName),
		IndexRotationPeriod: pulumi.String(rotation),
		BufferingInterval:   pulumi.Int(bufferSeconds),
		BufferingSize:       pulumi.Int(bufferMiB),
		RetryDuration:       pulumi.Int(retrySeconds),
		S3BackupMode:        pulumi.String(mode),
		S3Configuration: &kinesis.FirehoseDeliveryStreamOpensearchConfigurationS3ConfigurationArgs{
			RoleArn:           role.Arn,
			BucketArn:         args.Backup.Arn,
			Prefix:            pulumi.String(args.StreamName + "/"),
			ErrorOutputPrefix: pulumi.String(args.StreamName + "-errors/"),
			CompressionFormat: pulumi.String("GZIP"),
			BufferingInterval: pulumi.Int(backupBufferSeconds),
			KmsKeyArn:         args.BackupKmsKeyArn.ToStringOutput(),
			CloudwatchLoggingOptions: &kinesis.FirehoseDeliveryStreamOpensearchConfigurationS3ConfigurationCloudwatchLoggingOptionsArgs{
				Enabled: pulumi.Bool(true), LogGroupName: c.Errors.Name, LogStreamName: pulumi.String(backupErrors),
			},
		},
		CloudwatchLoggingOptions: &kinesis.FirehoseDeliveryStreamOpensearchConfigurationCloudwatchLoggingOptionsArgs{
			Enabled: pulumi.Bool(true), LogGroupName: c.Errors.Name, LogStreamName: pulumi.String(deliveryErrors),
		},
		ProcessingConfiguration: args.processing(),
		VpcConfig: &kinesis.FirehoseDeliveryStreamOpensearchConfigurationVpcConfigArgs{
			RoleArn: role.Arn, SubnetIds: args.SubnetIDs, SecurityGroupIds: args.SecurityGroupIDs,
		},
	}
}

// processing unpacks the batches, which CloudWatch Logs compresses, or splits
// them if there is a function for it. Not both: a stream that unpacks takes
// records from CloudWatch Logs alone and would refuse the function's
// (InvalidSourceException), so the function unpacks them itself.
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
func (args *LogIngestionArgs) processing() *kinesis.FirehoseDeliveryStreamOpensearchConfigurationProcessingConfigurationArgs {
	processor := func(typ, parameter string, value pulumi.StringInput) *kinesis.FirehoseDeliveryStreamOpensearchConfigurationProcessingConfigurationProcessorArgs {
		return &kinesis.FirehoseDeliveryStreamOpensearchConfigurationProcessingConfigurationProcessorArgs{
			Type: pulumi.String(typ),
			Parameters: kinesis.FirehoseDeliveryStreamOpensearchConfigurationProcessingConfigurationProcessorParameterArray{
				&kinesis.FirehoseDeliveryStreamOpensearchConfigurationProcessingConfigurationProcessorParameterArgs{
					ParameterName: pulumi.String(parameter), ParameterValue: value.ToStringOutput(),
				},
			},
		}
	}
	first := processor("Decompression", "CompressionFormat", pulumi.String("GZIP"))
	if args.Splitter != nil {
		first = processor("Lambda", "LambdaArn", args.Splitter.FunctionArn)
	}
	return &kinesis.FirehoseDeliveryStreamOpensearchConfigurationProcessingConfigurationArgs{
		Enabled:    pulumi.Bool(true),
		Processors: kinesis.FirehoseDeliveryStreamOpensearchConfigurationProcessingConfigurationProcessorArray{first},
	}
}

// deliveryPolicy is what Firehose does with the role: write to the index and
// read how the domain does, put into the bucket, and keep its own network
// interfaces.
// https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-es-vpc
func (args *LogIngestionArgs) deliveryPolicy() identity.Document {
	domain, bucket := args.Domain.DomainArn, args.Scope.GlobalARN("s3", args.Backup.PhysicalName)
	interfaces := identity.Statement{
		Sid: "ManageInterfaces", Effect: identity.Allow,
		Actions: []string{
			"ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface", "ec2:DescribeVpcAttribute",
		},
		// Not the subnets of another account that shares them with this one.
		Conditions: []identity.Condition{{Test: "StringEquals", Key: "aws:ResourceAccount", Values: []string{args.Scope.AccountID}}},
	}
	for _, kind := range []string{"network-interface", "security-group", "subnet", "vpc"} {
		interfaces.Resources = append(interfaces.Resources, args.Scope.ARN("ec2", kind+"/*"))
	}
	doc := identity.Document{
		{
			Sid: "WriteDocuments", Effect: identity.Allow,
			Actions:   []string{"es:DescribeDomain", "es:DescribeDomainConfig", "es:DescribeDomains", "es:ESHttpPost", "es:ESHttpPut"},
			Resources: []string{domain, domain + "/*"},
		},
		{Sid: "ReadState", Effect: identity.Allow, Actions: []string{"es:ESHttpGet"}, Resources: args.statePaths()},
		{
			Sid: "FindBucket", Effect: identity.Allow,
			Actions:   []string{"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"},
			Resources: []string{bucket},
		},
		{
			Sid: "WriteBackup", Effect: identity.Allow,
			Actions:   []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
			Resources: []string{bucket + "/" + args.StreamName + "/*", bucket + "/" + args.StreamName + "-errors/*"},
		},
		args.encryptBackup(bucket),
		{
			Sid: "WriteErrors", Effect: identity.Allow, Actions: []string{"logs:PutLogEvents"},
			Resources: []string{args.Scope.ARN("logs", "log-group:"+args.errorGroup()+":log-stream:*")},
		},
		{
			Sid: "FindNetwork", Effect: identity.Allow,
			Actions: []string{
				"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
			},
			Resources: []string{"*"},
		},
		interfaces,
	}
	if args.Splitter != nil {
		doc = append(doc, identity.Statement{
			Sid: "SplitBatches", Effect: identity.Allow,
			Actions:   []string{"lambda:GetFunctionConfiguration", "lambda:InvokeFunction"},
			Resources: []string{args.Scope.ARN("lambda", "function:"+args.Splitter.FunctionName+":*")},
		})
	}
	return doc
}

// encryptBackup allows the bucket's key for this bucket. The context is the
// bucket's ARN, or the object's where Firehose asks for a key of its own and
// S3 makes no bucket key.
func (args *LogIngestionArgs) encryptBackup(bucket string) identity.Statement {
	return identity.Statement{
		Sid: "EncryptBackup", Effect: identity.Allow, Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"},
		Resources: []string{args.Backup.Scope.ARN("kms", "key/*")},
		Conditions: []identity.Condition{
			{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{args.BackupKeyAlias}},
			{Test: "StringEquals", Key: "kms:ViaService", Values: []string{args.Backup.Scope.RegionalService("s3")}},
			{Test: "StringLike", Key: "kms:EncryptionContext:aws:s3:arn", Values: []string{bucket, objects(bucket)}},
		},
	}
}

// statePaths are what Firehose reads of a domain before and while it delivers.
func (args *LogIngestionArgs) statePaths() []string {
	var out []string
	for _, path := range []string{
		"_all/_settings", "_cluster/stats", "_nodes", "_nodes/*/stats", "_nodes/stats", "_stats",
		args.IndexName + "*/_mapping/*", args.IndexName + "*/_stats",
	} {
		out = append(out, args.Domain.DomainArn+"/"+path)
	}
	return out
}
