package launch

import (
	"encoding/json"
	"fmt"

	"redoubt/infra/identity"
)

// mostCharacters is what a managed policy may have without white space.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const mostCharacters = 6144

// packed are the statements in as few documents as fit, in their order.
func packed(statements identity.Document) (all []identity.Document) {
	var d identity.Document
	for _, s := range statements {
		if len(d) > 0 && size(append(d[:len(d):len(d)], s)) > mostCharacters {
			all, d = append(all, d), nil
		}
		d = append(d, s)
	}
	return append(all, d)
}

func size(d identity.Document) int {
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("a policy cannot be written as JSON: %v", err)) // it is texts
	}
	return identity.Size(string(text))
}
