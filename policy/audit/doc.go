// Package audit judges what is deployed: the state of a stack as `pulumi stack
// export` writes it, with a policy pack and without the engine.
//
// `pulumi policy analyze` of the stock CLI judges a state too. The analyzer is run
// in this process instead, because
//
//   - that command makes the text "[secret]" of every secret that it cannot
//     decrypt, whatever the secret was. A rule would read a map or a number as that
//     text, and fail what is right or pass what is wrong. Here such a value stays
//     what it is: marked as a secret, and unknown;
//   - it tells violations only, while a report counts what passed, what could not
//     be decided, and what exemptions let pass;
//   - it needs the CLI, a pack as a file, and a process that asks about each
//     resource.
//
// For a state without secrets both find the same; a test holds them to that.
package audit
