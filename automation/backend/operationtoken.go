package backend

import (
	"errors"
	"strings"
	"time"
)

// OperationToken is what the process of an operation may do that the service
// itself runs.
type OperationToken struct {
	// Operation is the operation's id, a prefix and a ULID: "op_01k…".
	Operation string
	Stack     StackName
	Verbs     []Verb
	// Reads are other stacks, whose outputs the program reads.
	Reads []StackName
	// Lifetime is how long the process may take.
	Lifetime time.Duration
}

// MintOperationToken makes the token of an operation in the transaction that
// found out that the operation is the caller's to run; the credential is shown
// this once. An operation has one token: the one before it ends with it, so that
// what ran for the operation elsewhere begins no update any more.
func MintOperationToken(tx Tx, o OperationToken) (credential string, err error) {
	n := NewToken{
		Name: "operation " + o.Operation, Principal: operationPrincipal(o.Operation), Lifetime: o.Lifetime,
		Grants: []Grant{{Stacks: o.Stack.String(), Verbs: o.Verbs}},
	}
	for _, name := range o.Reads {
		// The engine decrypts all outputs of a stack, or reads none.
		n.Grants = append(n.Grants, Grant{Stacks: name.String(), Verbs: []Verb{Read, Decrypt}})
	}
	if err := n.check(); err != nil {
		return "", err
	}
	fresh, secret := mint(n)
	id := operationTokenID(o.Operation)
	credential = TokenPrefix + strings.TrimPrefix(id, "tok_") + secret[strings.LastIndex(secret, "_"):]
	if _, _, ok := splitToken(credential); !ok {
		return "", Fail(CodeInvalid, "%s is no id of an operation", quoted(o.Operation))
	}
	fresh.ID, fresh.CreatedBy, fresh.CreatedAt, fresh.ExpiresAt = id, service.Principal(), tx.Now(), tx.Now().Add(o.Lifetime)
	if _, err = tx.LockToken(id); errors.Is(err, ErrNotFound) {
		err = tx.CreateToken(fresh)
	} else if err == nil {
		err = tx.SaveToken(fresh)
	}
	if err != nil {
		return "", err
	}
	verbs := make([]string, len(o.Verbs))
	for i, v := range o.Verbs {
		verbs[i] = string(v)
	}
	reads := make([]string, len(o.Reads))
	for i, name := range o.Reads {
		reads[i] = name.String()
	}
	return credential, record(tx, service, "token.create", id, map[string]string{
		"principal": n.Principal, "stack": o.Stack.String(), "verbs": strings.Join(verbs, " "), "reads": strings.Join(reads, " "),
	})
}

// RevokeOperationToken ends the token of an operation, if it has one.
func RevokeOperationToken(tx Tx, operation string) error {
	token, err := tx.LockToken(operationTokenID(operation))
	if errors.Is(err, ErrNotFound) || err == nil && !token.RevokedAt.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	token.RevokedAt = tx.Now()
	if err := tx.SaveToken(token); err != nil {
		return err
	}
	return record(tx, service, "token.revoke", token.ID, map[string]string{"principal": token.Principal})
}

// service is the service itself.
var service = Caller{Token: Token{Principal: "redoubt"}}

const operationPrefix = "operation/"

func operationPrincipal(operation string) string { return operationPrefix + operation }

// IsOperation says whether the token is an operation's of self-service.
func (t Token) IsOperation() bool { return strings.HasPrefix(t.Principal, operationPrefix) }

// operationTokenID has the operation's own ULID: an operation's token is found
// without looking for it.
func operationTokenID(operation string) string {
	return "tok_" + operation[strings.LastIndex(operation, "_")+1:]
}

// OperationCaller is an operation to this package's methods, as the service
// itself acts for it.
func OperationCaller(operation string, stack StackName) Caller {
	return Caller{Token: Token{
		Principal: operationPrincipal(operation),
		Grants:    []Grant{{Stacks: stack.String(), Verbs: []Verb{Write, Decrypt, ApplyProtected}}},
	}}
}
