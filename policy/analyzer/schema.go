package analyzer

import (
	"bytes"
	"encoding/json"
	"maps"

	"redoubt/policy/profile"
)

// Schema is the JSON Schema of a pack's configuration file, for editors and
// pipelines: each rule by its name, with its settings, their bounds and defaults.
func (a *Analyzer) Schema() ([]byte, error) {
	properties := map[string]any{
		everyPolicy:      policySchema("The level of every policy that has none of its own.", nil),
		policyUnknowns:   policySchema(settings[policyUnknowns].description, map[string]any{unknownsParam.Name: unknownsParam.Schema()}),
		policyExemptions: policySchema(settings[policyExemptions].description, map[string]any{exemptionEntries: entriesSchema()}),
		policyProfile:    a.profileSchema(),
		environments: map[string]any{
			"description": "Environments of Pulumi ESC that the CLI opens for the pack.",
			"type":        "array", "items": map[string]any{"type": "string"},
		},
	}
	for _, r := range a.rules {
		declared := map[string]any{}
		for _, p := range r.Params {
			declared[p.Name] = p.Schema()
		}
		entry := policySchema(r.Summary, declared)
		entry["default"] = a.told[r.Name]
		properties[r.Name] = entry
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "Configuration of the policy pack " + a.opts.Name,
		"$defs": map[string]any{
			"level":  map[string]any{"description": "What a violation does.", "enum": levelNames},
			"policy": levelOr(map[string]any{}),
		},
		"type": "object", "properties": properties, "additionalProperties": false,
	})
	return out.Bytes(), err
}

var (
	levelRef  = map[string]any{"$ref": "#/$defs/level"}
	policyRef = map[string]any{"$ref": "#/$defs/policy"}
)

// policySchema is a policy's entry: a level, or an object with it and the settings.
func policySchema(description string, declared map[string]any) map[string]any {
	s := maps.Clone(policyRef)
	if len(declared) > 0 {
		s = levelOr(declared)
	}
	s["description"] = description
	return s
}

// levelOr holds what is no object to the levels, so that an error is about one of
// both.
func levelOr(declared map[string]any) map[string]any {
	fields := maps.Clone(declared)
	fields[levelField] = levelRef
	return map[string]any{"if": map[string]any{"type": "object"}, "then": closed(fields), "else": levelRef}
}

func closed(fields map[string]any) map[string]any {
	return map[string]any{"type": "object", "properties": fields, "additionalProperties": false}
}

func (a *Analyzer) profileSchema() map[string]any {
	names := make([]string, len(a.rules))
	for i, r := range a.rules {
		names[i] = r.Name
	}
	s := closed(map[string]any{
		levelField:  levelRef,
		profileName: map[string]any{"description": describeProfiles(), "enum": profile.Names(), "default": a.profile.Name},
		profileLevels: map[string]any{
			"description": settings[policyProfile].schema[profileLevels]["description"],
			"type":        "object", "propertyNames": map[string]any{"enum": names}, "additionalProperties": levelRef,
		},
	})
	s["description"] = settings[policyProfile].description
	return s
}

func entriesSchema() map[string]any {
	text := map[string]any{"type": "string", "pattern": `\S`}
	fields := map[string]any{exemptionID: map[string]any{"type": "string"}}
	for _, name := range exemptionFields {
		fields[name] = text
	}
	fields["resource"] = map[string]any{"type": "string", "pattern": "^(urn:pulumi:|\\*)"}
	fields["expires"] = map[string]any{"type": "string", "pattern": `^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`}
	entry := closed(fields)
	entry["required"] = exemptionFields
	return map[string]any{
		"description": settings[policyExemptions].schema[exemptionEntries]["description"],
		"type":        "array", "items": entry,
	}
}
