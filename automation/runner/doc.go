// Package runner runs one operation on a stack (a preview, an update, a
// refresh, a destroy) with an inline program, in a process of its own.
//
//	op, err := runner.Start(ctx, runner.Spec{Kind: runner.Up, Blueprint: "defense-in-depth", …})
//	for event := range op.Events() {
//		fmt.Println(event.Type)
//	}
//	result, err := op.Wait()
//
// There are three processes. The parent calls Start, and never runs a program:
// a panic in an ApplyT of an inline program ends the process that it runs in.
// The child is the same executable, as `redoubt run-operation`, which calls
// Main: it runs the program, drives the Automation API, and ends when the
// operation does. The CLI with its plugins is the child's child:
//
//	parent ──control──▶ child ──▶ pulumi ──▶ plugins
//	       ◀─messages──               │          │
//	       ◀────────── held ──────────┴──────────┘
//
// Three pipes tie them. Control takes the specification, which holds the
// credentials and is on no command line and in no environment, and then
// commands; when it ends, the parent is gone, and the child cancels. Messages
// brings events and the result. Held is open as long as the CLI or one of its
// plugins lives: when the child dies, the parent waits until they have ended,
// which they do by themselves, before it removes what they use. Where all are
// killed at once nobody removes it; the next operation on the machine does: all
// three hold the lock of their folder (engine.MakeFolder), and so it sees that
// nobody is left.
//
// A canceled operation waits for what has begun: AWS would finish it anyway,
// and a resource that is in no state is made twice by the next update.
package runner
