package workload

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// environmentLimit is Lambda's, in bytes of names and values together.
const environmentLimit = 4096

var (
	functionForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)
	// reserved are the names that Lambda sets itself, and refuses.
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
	reserved = regexp.MustCompile(`^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN_TRACE_ID$)`)
)

// ReservedVariable is true for the name of a variable that Lambda sets itself.
func ReservedVariable(name string) bool { return reserved.MatchString(name) }

func (args *FunctionArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &workload.FunctionArgs{…})")
	}
	var f findings
	if err := args.Platform.validate(); err != nil {
		f = append(f, err)
	}
	f.refuse(!functionForm.MatchString(args.FunctionName), "functionName: %q (1 to 30 lower-case letters, digits and hyphens, a letter first)", args.FunctionName)
	f.refuse(args.Program == "" && args.Code == nil, "program: empty (the archive's name, for example rotate)")
	f.refuse(args.Program != "" && args.Code != nil, "program: set with code (choose one)")
	args.Code.check(&f)
	f.refuse(len(args.Description) < 8 || len(args.Description) > 256, "description: %d characters (8 to 256: what the function does)", len(args.Description))
	f.refuse(args.MemoryMiB < 128 || args.MemoryMiB > 10240, "memoryMiB: %d (128 to 10240)", args.MemoryMiB)
	f.refuse(args.TimeoutSeconds < 1 || args.TimeoutSeconds > 900, "timeoutSeconds: %d (1 to 900)", args.TimeoutSeconds)
	f.concurrency(args.Concurrency)
	f.refuse(args.Retries < 0 || args.Retries > 2, "retries: %d (0 to 2)", args.Retries)
	_, taken := args.Policies["run"]
	f.refuse(taken, `policies["run"]: is the function's own (choose another name)`)
	args.checkEnvironment(&f)
	return f.err()
}

func (f *findings) concurrency(n int) {
	f.refuse(n != Unreserved && n < 1, "concurrency: %d (at least 1, or workload.Unreserved; 0 would stop the function)", n)
}

// checkEnvironment never repeats a value: one in the wrong place may be a secret.
func (args *FunctionArgs) checkEnvironment(f *findings) {
	size := 0
	check := func(field, name string) {
		f.refuse(!variableForm.MatchString(name), "%s[%q]: not a variable's name (A-Z, 0-9 and _, no digit first)", field, name)
		f.refuse(ReservedVariable(name), "%s[%q]: Lambda sets it itself (choose another name)", field, name)
		f.refuse(TellsSecret(name),
			"%s[%q]: would show a secret to everyone who may read functions (pass the secret's ARN)", field, name)
	}
	for _, name := range slices.Sorted(maps.Keys(args.Variables)) {
		check("variables", name)
		size += len(name) + len(args.Variables[name])
		_, twice := args.Parameters[name]
		f.refuse(twice, "variables[%q]: also in parameters (keep one)", name)
		f.refuse(strings.ContainsRune(args.Variables[name], 0), "variables[%q]: holds a NUL (use text)", name)
	}
	for _, name := range slices.Sorted(maps.Keys(args.Parameters)) {
		check("parameters", name)
		f.refuse(args.Parameters[name] == nil, "parameters[%q]: nil (pass a value or leave it out)", name)
	}
	f.refuse(size > environmentLimit, "variables: %d bytes, Lambda has room for %d (put large values into S3 or Parameter Store)", size, environmentLimit)
}
