package runner

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Inputs are what the operation's specification tells the program: an order with
// its secrets open, say, which is on no disk and in no environment. They are nil
// where it tells nothing.
//
//	func(keys []string) pulumi.RunFunc {
//		return func(ctx *pulumi.Context) error { return deploy(ctx, runner.Inputs(ctx)) }
//	}
func Inputs(ctx *pulumi.Context) json.RawMessage {
	inputs, _ := ctx.Value(inputsKey{}).(json.RawMessage)
	return inputs
}

type inputsKey struct{}

// informed is a program that is told the inputs.
func informed(program pulumi.RunFunc, inputs json.RawMessage) pulumi.RunFunc {
	if len(inputs) == 0 {
		return program
	}
	return func(ctx *pulumi.Context) error { return program(ctx.WithValue(inputsKey{}, inputs)) }
}
