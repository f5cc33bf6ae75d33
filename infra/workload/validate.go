package workload

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"redoubt/infra/monitoring"
)

var (
	prefixForm   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,27}$`)
	serviceForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	digestForm   = regexp.MustCompile(`^[^@\s]+@sha256:[0-9a-f]{64}$`)
	tagForm      = regexp.MustCompile(`^[^@\s]+:[\w][\w.-]{0,127}$`)
	variableForm = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
	secretForm   = regexp.MustCompile(`^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:[^:]+(:[^:]*){0,3}$`)
	// telling are names of variables whose value nobody should read in the
	// console; those that end in what only names a secret are fine.
	telling  = regexp.MustCompile(`(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|API_KEY|ACCESS_KEY|CREDENTIALS?)`)
	pointing = regexp.MustCompile(`_(ARN|NAME|ID|URL|PATH|FILE|TTL)$`)
)

// TellsSecret is true for the name of a variable whose value nobody should read
// in the console: DB_PASSWORD, and not DB_PASSWORD_ARN.
func TellsSecret(name string) bool { return telling.MatchString(name) && !pointing.MatchString(name) }

func (args *ServiceArgs) architecture() string {
	if args.Architecture == "" {
		return "ARM64"
	}
	return args.Architecture
}

func (args *ServiceArgs) port() int {
	if args.Port == 0 {
		return Port
	}
	return args.Port
}

func (args *ServiceArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &workload.ServiceArgs{…})")
	}
	var findings []error
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	s := args.Scope
	refuse(s.Partition == "" || s.Region == "" || len(s.AccountID) != 12, "scope: %+v (partition, region and twelve digits)", s)
	refuse(!prefixForm.MatchString(args.Prefix), "prefix: %q (2 to 28 lower-case letters, digits and hyphens, a letter first)", args.Prefix)
	refuse(!serviceForm.MatchString(args.ServiceName), "serviceName: %q (1 to 20 lower-case letters, digits and hyphens, a letter first)", args.ServiceName)
	refuse(!serviceForm.MatchString(args.Environment), "environment: %q (for example dev or prod)", args.Environment)
	refuse(!digestForm.MatchString(args.Image) && (args.RequireDigest || !tagForm.MatchString(args.Image)),
		"image: %q (%s)", args.Image, args.imageForms())
	refuse(strings.HasSuffix(args.Image, ":latest"), "image: %q names whatever was pushed last (use a version or a digest)", args.Image)
	if err := checkSize(args.CPU, args.MemoryMiB); err != nil {
		findings = append(findings, err)
	}
	refuse(!slices.Contains([]string{"ARM64", "X86_64"}, args.architecture()), "architecture: %q (ARM64 or X86_64)", args.Architecture)
	refuse(args.MinTasks < 1 || args.MaxTasks < args.MinTasks, "minTasks, maxTasks: %d, %d (at least 1, and in order)", args.MinTasks, args.MaxTasks)
	refuse(args.SubnetIDs == nil, "subnetIds: nil (the private subnets)")
	refuse(args.SecurityGroupIDs == nil, "securityGroupIds: nil (the group that admits the load balancer on %d)", args.port())
	refuse(args.port() < 1024 || args.port() > 65535, "port: %d (1024 to 65535: the process is not root; or 0 for %d)", args.port(), Port)
	refuse(args.TargetGroupArn != nil && len(args.After) == 0,
		"after: empty with a target group (pass the listener: ECS refuses a target group that no load balancer has)")
	refuse(args.KmsKeyArn == nil, "kmsKeyArn: nil (the application's key)")
	refuse(args.LogKmsKeyArn == nil, "logKmsKeyArn: nil (the key with the CloudWatch Logs statement)")
	refuse(!slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays),
		"logRetentionInDays: %d (one of %v)", args.LogRetentionInDays, monitoring.RetentionDays)
	refuse(!strings.HasPrefix(args.KeyAlias, "alias/"), "keyAlias: %q (alias/<name>, see data.Key.AliasName)", args.KeyAlias)
	for i, alias := range args.SecretKeyAliases {
		refuse(!strings.HasPrefix(alias, "alias/"), "secretKeyAliases[%d]: %q (alias/<name>)", i, alias)
	}
	return errors.Join(append(findings, args.checkVariables()...)...)
}

func (args *ServiceArgs) imageForms() string {
	if args.RequireDigest {
		return "<repository>@sha256:<digest>; a tag may point at another image tomorrow"
	}
	return "<repository>:<tag> or <repository>@sha256:<digest>"
}

// checkVariables never repeats a value: one in the wrong place may be a secret.
func (args *ServiceArgs) checkVariables() []error {
	var findings []error
	seen := map[string]string{}
	check := func(field, name string) {
		if !variableForm.MatchString(name) {
			findings = append(findings, fmt.Errorf("%s[%q]: not a variable's name (A-Z, 0-9 and _, no digit first)", field, name))
		}
		if first, twice := seen[name]; twice {
			findings = append(findings, fmt.Errorf("%s[%q]: also in %s (ECS refuses a variable that is set twice)", field, name, first))
		}
		seen[name] = field
	}
	for _, name := range slices.Sorted(maps.Keys(args.Variables)) {
		check("variables", name)
		if TellsSecret(name) {
			findings = append(findings, fmt.Errorf("variables[%q]: would show a secret to everyone who may describe tasks (put it in secrets)", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(args.Parameters)) {
		check("parameters", name)
		if args.Parameters[name] == nil {
			findings = append(findings, fmt.Errorf("parameters[%q]: nil (pass a value or leave it out)", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(args.Secrets)) {
		check("secrets", name)
		if !secretForm.MatchString(args.Secrets[name]) {
			findings = append(findings, fmt.Errorf("secrets[%q]: not a secret's ARN (arn:<partition>:secretsmanager:<region>:<account>:secret:<name>)", name))
		}
	}
	return findings
}
