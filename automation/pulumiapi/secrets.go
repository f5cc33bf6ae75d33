package pulumiapi

import (
	"encoding/base64"
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
)

func encrypt(c *call) (any, error) {
	var q apitype.EncryptValueRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	out, err := c.service.Encrypt(c.ctx(), c.caller, c.stack(), [][]byte{q.Plaintext})
	if err != nil {
		return nil, err
	}
	return apitype.EncryptValueResponse{Ciphertext: out[0]}, nil
}

func decrypt(c *call) (any, error) {
	var q apitype.DecryptValueRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	out, err := c.service.Decrypt(c.ctx(), c.caller, c.stack(), [][]byte{q.Ciphertext}, c.command())
	if err != nil {
		return nil, err
	}
	return apitype.DecryptValueResponse{Plaintext: text(out[0])}, nil
}

// text keeps an empty secret from becoming null.
func text(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func batchEncrypt(c *call) (any, error) {
	var q apitype.BatchEncryptRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	out, err := c.service.Encrypt(c.ctx(), c.caller, c.stack(), q.Plaintexts)
	return apitype.BatchEncryptResponse{Ciphertexts: out}, err
}

// batchDecrypt answers by ciphertext. The CLI panics where one that it asked
// for is missing (pkg/secrets/service/manager.go).
func batchDecrypt(c *call) (any, error) {
	var q apitype.BatchDecryptRequest
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	answer := apitype.BatchDecryptResponse{Plaintexts: make(map[string][]byte, len(q.Ciphertexts))}
	if len(q.Ciphertexts) == 0 {
		_, _, err := c.service.Stack(c.ctx(), c.caller, c.stack())
		return answer, err
	}
	out, err := c.service.Decrypt(c.ctx(), c.caller, c.stack(), q.Ciphertexts, c.command())
	if err != nil {
		return nil, err
	}
	for i, ciphertext := range q.Ciphertexts {
		answer.Plaintexts[base64.StdEncoding.EncodeToString(ciphertext)] = text(out[i])
	}
	return answer, nil
}

// logDecryption records that a client read secrets with a key of its own. It
// may send nothing.
func logDecryption(c *call) (any, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	var event apitype.Log3rdPartyDecryptionEvent
	if len(body) > 0 {
		if err := json.Unmarshal(body, &event); err != nil {
			return nil, &backend.Error{Code: backend.CodeInvalid, Message: "the body is not the JSON that is expected here", Cause: err}
		}
	}
	why := event.CommandName
	if event.SecretName != "" {
		why = "secret " + event.SecretName
	}
	return nil, c.service.RecordDecryption(c.ctx(), c.caller, c.stack(), 1, clip(why))
}

// clip bounds what a client says about itself.
func clip(word string) string {
	const limit = 200
	if len(word) > limit {
		word = word[:limit]
	}
	return word
}
