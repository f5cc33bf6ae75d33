// Command redoubt is the service and its tools in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes: 0 everything did what it must, 1 something did not (the report
// says what), 2 the command could not be carried out.
const (
	exitOK = iota
	exitFailed
	exitError
)

// commands is the command line.
type commands struct {
	Rehearse rehearseCommand `cmd:"" help:"Rehearse the whole life of a stack on the real Pulumi engine, against a simulated AWS account."`
	Preview  previewCommand  `cmd:"" help:"Show what an update of a stack would change, and whether the policy pack allows it."`
	Up       upCommand       `cmd:"" help:"Update a stack."`
	Refresh  refreshCommand  `cmd:"" help:"Read every resource of a stack back into its state."`
	Destroy  destroyCommand  `cmd:"" help:"Delete every resource of a stack."`
	Login    loginCommand    `cmd:"" help:"Sign in to a server, with an access token or through its identity provider."`
	Logout   logoutCommand   `cmd:"" help:"Forget what redoubt login has stored."`
	Whoami   whoamiCommand   `cmd:"" help:"Say who one is to a server." name:"whoami"`
	Serve    serveCommand    `cmd:"" help:"Keep the state of stacks, for pulumi login, and take orders."`
	Token    tokenCommands   `cmd:"" help:"Access tokens of a server."`
	Org      orgCommands     `cmd:"" help:"Organizations of a server."`
	Stack    stackCommands   `cmd:"" help:"Protection, salvage and restoration of a server's stacks."`
	Key      keyCommands     `cmd:"" help:"Encryption keys of a server."`
	Policy   policyCommands  `cmd:"" help:"Policy packs that a server requires, and the exemptions from them."`
	Audit    auditCommands   `cmd:"" help:"Judge what a stack has deployed; and the record of who did what on a server."`
	State    stateCommand    `cmd:"" help:"Move the states of stacks into Redoubt and out of it."`
	Roles    rolesCommands   `cmd:"" help:"IAM roles that orders in AWS are run with."`

	Blueprints   blueprintsCommand   `cmd:"" help:"What can be ordered, and with which inputs." group:"Self-service"`
	Order        orderCommand        `cmd:"" help:"Order an environment made of a blueprint." group:"Self-service"`
	Operations   operationCommands   `cmd:"" help:"Orders: list, show, watch, cancel, retry." group:"Self-service"`
	Approve      approveCommand      `cmd:"" help:"Approve the plan of an operation." group:"Self-service"`
	Reject       rejectCommand       `cmd:"" help:"Reject the plan of an operation." group:"Self-service"`
	Environments environmentCommands `cmd:"" help:"What was ordered: list, show, change, check for drift, destroy." group:"Self-service"`
	Project      projectCommands     `cmd:"" help:"Teams' shares of an organization." group:"Self-service"`
	Waive        waiveCommand        `cmd:"" help:"Let a mandatory finding pass for a while." group:"Self-service"`
	Waivers      waiverCommands      `cmd:"" help:"Findings that are let pass." group:"Self-service"`
	Bindings     bindingCommands     `cmd:"" help:"Who has which role." group:"Self-service"`
	Quota        quotaCommands       `cmd:"" help:"What bounds projects and organizations, and how much of it is used." group:"Self-service"`
	Freeze       freezeCommands      `cmd:"" help:"When nothing is applied in a project." group:"Self-service"`
	Accounts     accountCommands     `cmd:"" name:"service-accounts" help:"Programs that you answer for, and their tokens." group:"Self-service"`
	Queue        queueCommands       `cmd:"" help:"What waits for workers: list, pause, resume." group:"Self-service"`
	Webhook      webhookCommands     `cmd:"" help:"Addresses that are told of events." group:"Self-service"`

	Version kong.VersionFlag `help:"Print the version and exit."`

	RunOperation runOperationCommand `cmd:"" hidden:""`
}

// version is set by the linker in releases.
var version = "dev"

// errNotOK says that the command ran and its report is not good; the report
// has been printed.
var errNotOK = errors.New("not everything did what it must")

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // as for the CLI, see engine.Command
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: it parses, runs and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cli := commands{
		Serve: serveCommand{Settings: settings()},
		Stack: stackCommands{Restored: restoredStacks{Settings: settings(recoverySettings...)}},
		Token: tokenCommands{Recover: recoverToken{Settings: settings(recoverySettings...)}},
	}
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("redoubt"),
		kong.Description("A company's AWS estate, defensible by construction."),
		kong.Vars{"version": "redoubt " + version},
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&streams{in: os.Stdin, out: stdout, err: stderr}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "redoubt:", err)
		return exitError
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "redoubt: %v (see redoubt %s--help)\n", err, path(err))
		return exitError
	}
	var child *childExit
	switch err := command.Run(); {
	case err == nil:
		return exitOK
	case errors.Is(err, errNotOK):
		return exitFailed
	case errors.As(err, &child):
		return child.code
	default:
		fmt.Fprintln(stderr, "redoubt:", clean(err.Error()))
		return exitError
	}
}

// path is the command that a parse error belongs to, with a space behind it.
func path(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Command() != "" {
		return parse.Context.Command() + " "
	}
	return ""
}

// streams are where a command reads answers, and where it writes: data to out,
// progress and errors to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}
