package blueprint

import (
	"encoding/json"
	"slices"
)

// mistakes are the known mistakes of the whole stack, by family.
func mistakes() []Mistake {
	return slices.Concat(
		networkMistakes, groupMistakes, edgeMistakes,
		keyMistakes, bucketMistakes, databaseMistakes,
		accessMistakes, signInMistakes, workloadMistakes,
		auditMistakes, alertMistakes, accountMistakes,
	)
}

// document is a policy, as text.
func document(statements ...map[string]any) string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // plain data is JSON
	}
	return string(text)
}

// allow is a policy that lets its holder do an action with a resource.
func allow(action, resource string) string {
	return document(map[string]any{"Effect": "Allow", "Action": action, "Resource": resource})
}

// trust is a policy that lets a principal become the role.
func trust(principal any) string {
	return document(map[string]any{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
}
