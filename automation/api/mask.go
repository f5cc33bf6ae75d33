package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// masked stands for a secret, as in what the Pulumi CLI prints.
const masked = "[secret]"

// maskInputs replaces secrets in inputs. They are sealed in there; even so nobody
// outside has a use for them. Inputs that cannot be read are left out.
func maskInputs(inputs json.RawMessage, pointers []string) json.RawMessage {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(inputs))
	decoder.UseNumber() // as it was given
	if decoder.Decode(&value) != nil {
		return nil
	}
	for _, pointer := range pointers {
		value = mask(value, strings.Split(pointer, "/")[1:])
	}
	text, err := json.Marshal(maskSealed(value))
	if err != nil {
		return nil
	}
	return text
}

// maskSealed replaces what is sealed, wherever it is: a blueprint may have called
// more secret than this version of it does.
func maskSealed(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if _, sealed := value["$sealed"]; sealed {
			return masked
		}
		for k, member := range value {
			value[k] = maskSealed(member)
		}
	case []any:
		for i, member := range value {
			value[i] = maskSealed(member)
		}
	}
	return value
}

// mask replaces what is at a path, in which * is every member of a list or of an
// object.
func mask(value any, path []string) any {
	if len(path) == 0 {
		return masked
	}
	key := strings.NewReplacer("~1", "/", "~0", "~").Replace(path[0])
	switch value := value.(type) {
	case map[string]any:
		keys := []string{key}
		if key == "*" {
			keys = slices.Collect(maps.Keys(value))
		}
		for _, k := range keys {
			if member, ok := value[k]; ok {
				value[k] = mask(member, path[1:])
			}
		}
	case []any:
		for i := range value {
			if key == "*" || key == strconv.Itoa(i) {
				value[i] = mask(value[i], path[1:])
			}
		}
	}
	return value
}

// inputsOf are a blueprint's inputs without secrets; none where nobody can say any
// more what is a secret in them.
func (h *handlers) inputsOf(c *call, ref BlueprintRef, inputs json.RawMessage) json.RawMessage {
	if len(inputs) == 0 {
		return nil
	}
	b, err := h.service.Blueprint(c, c.principal, ref.Name, ref.Version)
	if err != nil {
		return nil
	}
	return maskInputs(inputs, b.SecretInputs)
}
