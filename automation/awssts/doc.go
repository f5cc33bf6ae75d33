// Package awssts gives each run of the engine credentials of AWS of its own: those
// of a role in the account that the operator has allowed for the stack.
//
//	roles, err := awssts.Open(ctx, accounts)
//	session, err := roles.Assume(ctx, awssts.Request{Stack: stack, Operation: "op_01jd…", Phase: "up", Blueprint: "secure-bucket", Launch: true})
//	defer session.Close()
//	spec.Env = session.Env()
//
// A run that may change the cloud has its blueprint's launch role, every other one
// the preview role. Account, role and external id come from the operator's list and
// the blueprint's name, never from an order.
//
// The run's processes do not get the credentials themselves but an address on this
// machine that tells them, AWS_CONTAINER_CREDENTIALS_FULL_URI with a token that is
// the run's alone: every SDK of AWS asks there, and asks again before they expire.
// So a run may last longer than a session, and when it ends the address is gone. A
// process that outlives this one goes on with what it was told last.
package awssts
