package main

type stackCommands struct {
	Protect   protectStack   `cmd:"" help:"Let only tokens with the verb apply-protected change a stack; others may preview."`
	Unprotect unprotectStack `cmd:"" help:"Take the protection of a stack back."`
	Salvage   salvageStack   `cmd:"" help:"Free a stack whose update cannot be closed, because what it sent cannot be folded into a state."`
	Restored  restoredStacks `cmd:"" help:"Mark all stacks as coming from a backup, so that each is refreshed before anything changes it."`
	Journal   stackJournal   `cmd:"" help:"Print what an update sent, entry by entry, as JSON lines."`
}
